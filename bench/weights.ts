/**
 * Would the embedded weights be smaller compressed, and what would unpacking cost at each start:
 * `npm run bench -- weights --model FOLDER/resnet50.onnx [--precision int8]`.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { embeddedModel } from '../build/embedded-model.ts';
import { existingFile, oneOf, required } from '../model/options.ts';
import { precisions } from '../src/model/manifest.ts';
import { benchOptions } from './options.ts';

const { model, precision = 'fp32' } = benchOptions({
  usage: 'weights --model FILE',
  about: 'Whether the embedded weights would be smaller compressed, and what unpacking would cost.',
  table: {
    model: required(existingFile('resnet50.onnx; its manifest lies beside it')),
    precision: oneOf(precisions, 'which variant of the model (default: fp32)'),
  },
});
const [onnx = ''] = Object.values(embeddedModel(model!, precision, false).files);
const bytes = readFileSync(onnx);
const megabytes = (length: number): string => (length / 1e6).toFixed(1);

console.log(`${precision}, ${megabytes(bytes.length)} MB, load average ${loadavg()[0]}\n`);
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
