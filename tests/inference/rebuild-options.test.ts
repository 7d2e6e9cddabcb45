import { expect, test } from 'bun:test';
import type { CaptureMode } from '../../src/inference/onnxruntime/graph-capture.ts';
import { rebuildOptions } from '../../src/inference/opening/rebuild-options.ts';

test('rebuildOptions, graph capture only where it was asked for, and half the batch after memory ran out', () => {
  const full = new Error('GPUOutOfMemoryError: Vulkan allocation failed');
  const gone = new Error('the GPU device was lost (destroyed): …');
  const options = { maxBatch: 32, graphCapture: 'auto' as CaptureMode, threads: 2 };
  expect(rebuildOptions(options, full)).toEqual({
    maxBatch: 16,
    graphCapture: 'off',
    threads: 2,
  });
  expect(rebuildOptions({ maxBatch: 1, graphCapture: 'on' }, full)).toEqual({
    maxBatch: 1,
    graphCapture: 'on',
  });
  expect(rebuildOptions({ maxBatch: 32, graphCapture: 'off' }, gone)).toEqual({
    maxBatch: 32,
    graphCapture: 'off',
  });
});
