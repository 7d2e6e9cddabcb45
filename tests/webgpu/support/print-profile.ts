/**
 * Runs a model on the software GPU and prints what onnxruntime's profile says about each operator: a program of its own,
 * since onnxruntime prints its profile. `bun print-profile.ts FILE.onnx PRECISION`
 */

import { openSession } from '../../../src/inference/onnxruntime/session.ts';
import { openDevice } from '../../../src/inference/webgpu/adapter.ts';
import { openModel } from '../../../src/model/open-model.ts';

const [path, precision] = process.argv.slice(2);
const { manifest, slice } = openModel(path, precision === 'fp16' ? 'fp16' : 'fp32');
const { input, output, height, width } = manifest.graph;
const gpu = await openDevice({ allowSoftware: true });
const shape = [3, height, width] as const;
const { dimension } = manifest;
const options = { slice, input, output, shape, dimension, threads: 1, profile: true };
const session = await openSession(options, gpu);
await session.run([new Float32Array(3 * height * width).fill(1)]);
await session.release();
console.log(JSON.stringify({ adapter: gpu.info.name }));
process.exit(0);
