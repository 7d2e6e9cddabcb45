/**
 * Would the embedded weights be smaller compressed, and what would unpacking cost at each start:
 * `npm run bench -- weights --model FOLDER/resnet50.onnx [--precision int8]`.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { embeddedModel } from '../build/embedded-model.ts';

const { values } = parseArgs({
  options: { model: { type: 'string' }, precision: { type: 'string', default: 'fp32' } },
});
if (!values.model) throw new Error('--model FILE: an ONNX file with its manifest beside it');
const [onnx = ''] = Object.values(embeddedModel(values.model, values.precision, false).files);
const bytes = readFileSync(onnx);
const megabytes = (length: number): string => (length / 1e6).toFixed(1);

console.log(`${values.precision}, ${megabytes(bytes.length)} MB, load average ${loadavg()[0]}\n`);
console.log('| zstd level | MB | of the whole | unpacking, best of 5, ms |\n|---|---|---|---|');
for (const level of [1, 3, 9, 19]) {
  const packed = Bun.zstdCompressSync(bytes, { level });
  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    Bun.zstdDecompressSync(packed);
    return performance.now() - begun;
  });
  const part = ((100 * packed.length) / bytes.length).toFixed(1);
  const best = Math.min(...times).toFixed(0);
  console.log(`| ${level} | ${megabytes(packed.length)} | ${part} % | ${best} |`);
}
