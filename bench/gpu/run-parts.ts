/** The parts one after the other; what cannot be measured becomes a sentence and the rest goes on. */
import { join } from 'node:path';
import { openModel } from '../../src/model/open-model.ts';
import { type GpuPrecision, measureBare } from './bare.ts';
import { measureDecoding } from './decoding.ts';
import { operatorExecutable } from './executable.ts';
import { measureGrpc } from './grpc.ts';
import { measureInside } from './inside.ts';
import { cardState } from './machine.ts';
import { recipes, untrainedModel } from './model.ts';
import type { BenchOptions, Part } from './options.ts';
import { jpegs } from './pictures.ts';
import { measurePytorch } from './pytorch.ts';
import type { Results, Variant } from './results.ts';

const differentPictures = 16;
const precisions: readonly GpuPrecision[] = ['fp32', 'fp16'];

export async function runParts(
  options: BenchOptions,
  folder: string,
  results: Results,
  tell: (line: string) => void,
): Promise<void> {
  const attempt = async (part: Part, variant: Variant, measure: () => Promise<void>) => {
    if (!options.only.has(part)) return;
    try {
      await measure();
    } catch (error) {
      const why = (error as Error).message;
      results.missing.push({ part, variant, why });
      tell(`not measured: ${part}${variant === 'none' ? '' : ` ${variant}`}: ${why}`);
    }
  };

  tell(`making an untrained network (${options.size}), in fp32 and fp16`);
  const path = await untrainedModel(options.size, join(folder, 'model'));
  const model = openModel(path, 'fp32');
  results.machine['card before'] = cardState();
  for (const precision of precisions)
    await attempt('bare', precision, async () => {
      const { rows, adapter } = await measureBare(openModel(path, precision), options, tell);
      results.machine.adapter = adapter;
      results.machine[`card after ${precision}`] = cardState();
      results.rows.push(...rows);
    });
  for (const precision of precisions)
    await attempt('inside', precision, async () => {
      results.rows.push(...(await measureInside(openModel(path, precision), options, tell)));
    });

  const pictured = options.only.has('decoding') || options.only.has('grpc');
  const files = pictured ? await jpegs(differentPictures) : [];
  const kilobytes = files.reduce((sum, { length }) => sum + length, 0) / 1000 / files.length;
  if (pictured) results.machine.pictures = `640×480 JPEG made by code, ${kilobytes.toFixed(0)} kB`;
  await attempt('decoding', 'none', async () => {
    results.rows.push(await measureDecoding(model, files, options, tell));
  });
  if (options.only.has('grpc'))
    await attempt('grpc', 'none', async () => {
      const executable = await operatorExecutable(options.executable, folder, tell);
      for (const precision of precisions)
        await attempt('grpc', precision, async () => {
          const variant = openModel(path, precision);
          const pictures = join(folder, 'pictures');
          const given = { executable, model: variant, files, folder: pictures };
          results.rows.push(...(await measureGrpc(given, options, tell)));
        });
    });

  await attempt('pytorch', 'none', () =>
    measurePytorch(recipes[options.size].spec, options, results, tell),
  );
  results.machine['card at the end'] = cardState();
}
