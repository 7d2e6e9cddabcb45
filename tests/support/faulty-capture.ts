/**
 * Takes the place of src/inference/onnxruntime/graph-capture.ts in the executable that tests/webgpu/faults.test.ts compiles. A
 * file in the folder TEST_GPU_FAULTS is a fault:
 *   capture             the recording fails
 *   destroy-in-capture  the device is destroyed while it is tried, and the file becomes `destroy` of faulty-dawn.ts
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as capture from '../../src/inference/onnxruntime/graph-capture.ts';

export const { worthTrying } = capture;

const pathOf = (fault: string): string => join(process.env.TEST_GPU_FAULTS ?? '/nowhere', fault);
/** Longer than it takes to destroy the device. */
const meanwhileMs = 200;

export const tryCapture: typeof capture.tryCapture = async (...args) => {
  if (existsSync(pathOf('capture'))) throw new Error('the recording failed');
  if (existsSync(pathOf('destroy-in-capture'))) {
    renameSync(pathOf('destroy-in-capture'), pathOf('destroy'));
    await Bun.sleep(meanwhileMs);
  }
  return capture.tryCapture(...args);
};
