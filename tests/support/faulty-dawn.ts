/**
 * Takes the place of src/inference/webgpu/dawn.ts in the executable that tests/webgpu/faults.test.ts compiles: Dawn with
 * faults. The product itself has no way to be told to fail. A file in the folder TEST_GPU_FAULTS is a fault, for as long as
 * it lies there:
 *   destroy            the device is destroyed, and the file removed
 *   destroy-at-submit  the same with the next commands that are handed over, in the middle of a run
 *   hang               the driver does not come back from the next commands that are handed over, and the file is removed
 *   stall              the same, but it comes back after ten seconds, when nobody waits for it any more,
 *                      and writes the file came-back
 *   out-of-memory      buffers are as large as the adapter can address, which no driver of the tests can allocate
 *   broken-shaders     shaders are not WGSL
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as dawn from '../../src/inference/webgpu/dawn.ts';

export const { listAdapters, unloadDawn } = dawn;

type Fault =
  | 'destroy'
  | 'destroy-at-submit'
  | 'hang'
  | 'stall'
  | 'out-of-memory'
  | 'broken-shaders';

const folder = process.env.TEST_GPU_FAULTS;
const pathOf = (fault: Fault): string => join(folder ?? '/nowhere', fault);
const present = (fault: Fault): boolean => existsSync(pathOf(fault));
const take = (fault: Fault): boolean => {
  const found = present(fault);
  if (found) rmSync(pathOf(fault));
  return found;
};

export function loadDawn(flags: string[]): GPU {
  const gpu = dawn.loadDawn(flags);
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    if (!adapter) return adapter;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => withFaults(await requestDevice(descriptor));
    return adapter;
  };
  return gpu;
}

/** The thread is not there for so long, as within a driver. */
function block(ms?: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function withFaults(device: GPUDevice): GPUDevice {
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) =>
    createBuffer(
      present('out-of-memory') ? { ...descriptor, size: device.limits.maxBufferSize } : descriptor,
    );
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    createShaderModule(
      present('broken-shaders') ? { ...descriptor, code: 'not WGSL' } : descriptor,
    );
  // Each reading of `queue` makes another object: this one is given out from now on.
  const { queue } = device;
  Object.defineProperty(device, 'queue', { value: queue });
  const submit = queue.submit.bind(queue);
  queue.submit = (commands) => {
    if (take('destroy-at-submit')) device.destroy();
    const hangs = take('hang');
    if (hangs || take('stall')) {
      // Dawn owes an answer meanwhile.
      void queue.onSubmittedWorkDone();
      block(hangs ? undefined : 10_000);
      writeFileSync(join(folder ?? '', 'came-back'), '');
    }
    submit(commands);
  };
  const watch = setInterval(() => {
    if (take('destroy')) device.destroy();
  }, 10);
  void device.lost.then(() => clearInterval(watch));
  return device;
}
