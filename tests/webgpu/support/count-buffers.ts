/**
 * Runs a model on the software GPU in batches of all sizes, and replayed by graph capture, and prints, after the first quarter of the runs and at the end,
 * how many buffers there are on the device and how many bytes they have: a program of its own, since Dawn is there only
 * once in a process. `bun count-buffers.ts FILE.onnx RUNS`
 */

import { openSession } from '../../../src/inference/onnxruntime/session.ts';
import { openDevice } from '../../../src/inference/webgpu/adapter.ts';
import { openModel } from '../../../src/model/open-model.ts';

const [path, runs] = process.argv.slice(2);
const { manifest, slice } = openModel(path, 'fp32');
const { input, output, height, width } = manifest.graph;
const gpu = await openDevice({ allowSoftware: true });
const live = new Map<GPUBuffer, number>();
const create = gpu.device.createBuffer.bind(gpu.device);
gpu.device.createBuffer = (descriptor) => {
  const buffer = create(descriptor);
  live.set(buffer, descriptor.size);
  const destroy = buffer.destroy.bind(buffer);
  buffer.destroy = () => {
    live.delete(buffer);
    return destroy();
  };
  return buffer;
};
const batchSizes = [1, 2, 4, 8];
const shape = [3, height, width] as const;
const { dimension } = manifest;
const about = { slice, input, output, shape, dimension, threads: 1 };
const session = await openSession({ ...about, batchSizes }, gpu);
const replaying = await openSession({ ...about, batchSizes: [1], capture: true }, gpu);
const image = new Float32Array(3 * height * width).fill(1);
const count = Number(runs);
for (let run = 1; run <= count; run++) {
  await session.run(Array.from({ length: 1 + (run % 8) }, () => image));
  await replaying.run([image]);
  if (run !== count >> 2 && run !== count) continue;
  const bytes = [...live.values()].reduce((sum, size) => sum + size, 0);
  console.log(JSON.stringify({ buffers: live.size, bytes }));
}
process.exit(0);
