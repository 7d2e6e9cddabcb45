/** Runs a model once on onnxruntime-web and lets it print its profile: `bun profile-session.ts FILE HEIGHT WIDTH DIMENSION`. */
import { statSync } from 'node:fs';
import { openSession } from '../../../src/inference/onnxruntime/session.ts';

const [path = '', height, width, dimension] = process.argv.slice(2);
const [h, w] = [Number(height), Number(width)];
const session = await openSession({
  slice: { path, offset: 0, length: statSync(path).size },
  input: 'input',
  output: 'features',
  shape: [3, h, w],
  dimension: Number(dimension),
  threads: 1,
  profile: true,
});
await session.run([new Float32Array(3 * h * w).fill(1)]);
await session.release();
