import { describe, expect, test } from 'bun:test';
import { createSharedBatches, imagesOf } from '../../src/inference/onnxruntime/shared-batches.ts';

const shape = [1, 2, 1] as const;

describe('shared batches', () => {
  test('hold the images in order, and as many as were put in', () => {
    const batch = createSharedBatches(shape, 4).put([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(imagesOf(batch, shape).map((image) => [...image])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('are used again when they are given back, and not before', () => {
    const batches = createSharedBatches(shape, 4);
    const first = batches.put([Float32Array.of(1, 2)]);
    const second = batches.put([Float32Array.of(3, 4)]);
    expect(second.memory).not.toBe(first.memory);
    batches.giveBack(first);
    const third = batches.put([Float32Array.of(5, 6)]);
    expect(third.memory).toBe(first.memory);
    expect(imagesOf(second, shape).map((image) => [...image])).toEqual([[3, 4]]);
  });

  test('refuse an image of another size', () => {
    const batches = createSharedBatches(shape, 4);
    expect(() => batches.put([new Float32Array(3)])).toThrow(/3 values, 2 expected/);
    expect(() => batches.put(Array.from({ length: 5 }, () => new Float32Array(2)))).toThrow();
  });
});
