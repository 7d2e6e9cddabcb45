import { afterAll, afterEach, beforeAll, expect, type Mock, spyOn, test } from 'bun:test';
import type { SessionOptions } from '../../src/inference/onnxruntime/session.ts';
import { warmUp } from '../../src/inference/onnxruntime/warm-up.ts';

let now = 0;
let clock: Mock<() => number>;
beforeAll(() => {
  clock = spyOn(performance, 'now').mockImplementation(() => now);
});
afterAll(() => clock.mockRestore());
afterEach(() => {
  now = 0;
});

const options = { shape: [3, 2, 2], batchSizes: [1, 2, 4] } as unknown as SessionOptions;
/** A network that takes 10 ms an image, and longer to compile each size. */
const network = (compileMs: number) => {
  const sizes: number[] = [];
  const run = async (inputs: readonly Float32Array[]): Promise<Float32Array[]> => {
    now += (sizes.includes(inputs.length) ? 0 : compileMs) + 10 * inputs.length;
    sizes.push(inputs.length);
    return [];
  };
  return { sizes, run };
};

test('warm-up, runs each size and tells what an image takes when all is compiled', async () => {
  const { sizes, run } = network(1000);
  expect(await warmUp(run, options)).toEqual({ firstMs: 1010, imageMs: 10 });
  expect(sizes).toEqual([1, 1, 2, 4]);
});

test('warm-up, a card that compiles for long is run again, and larger sizes are left to their first batch', async () => {
  const { sizes, run } = network(8000);
  expect(await warmUp(run, options, false)).toEqual({ firstMs: 8010, imageMs: 10 });
  expect(sizes).toEqual([1, 1]);
});

test('warm-up, a driver in software that takes long is run once', async () => {
  const { sizes, run } = network(8000);
  expect(await warmUp(run, options, true)).toEqual({ firstMs: 8010, imageMs: 8010 });
  expect(sizes).toEqual([1]);
});
