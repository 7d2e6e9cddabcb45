/**
 * From exec to the first vector: `npm run bench -- start --model FOLDER/resnet50.onnx [--precision int8] [--rounds 7]
 * [--image FILE] [--cold]`.
 *
 * The executable with the model inside, and a bare compiled onnxruntime-web program, in turn, so that what else the machine
 * does falls on both. With --cold the file cache is emptied before each (of the whole machine, as root on Linux). Then the
 * memory of the executable: ready and idle, and at its peak over 200 images, four at a time.
 */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../build/compile.ts';
import { embeddedModel } from '../build/embedded-model.ts';
import { temporaryFolder } from '../model/files/abandoned.ts';
import { existingFile, flag, integer, oneOf, required } from '../model/options.ts';
import { precisions } from '../src/model/manifest.ts';
import { texturePng } from '../tests/support/pictures.ts';
import { type Emptied, emptyFileCache } from './file-cache.ts';
import { median } from './median.ts';
import { benchOptions } from './options.ts';
import { startExecutable } from './running-operator.ts';

const figures = (values: number[]): string =>
  `${median(values).toFixed(0)} | ${Math.max(...values).toFixed(0)}`;

const values = benchOptions({
  usage: 'start --model FILE',
  about:
    'From exec to the first vector, beside a bare onnxruntime-web program, and the memory when ready and under load.',
  table: {
    model: required(existingFile('resnet50.onnx; its manifest lies beside it')),
    precision: oneOf(precisions, 'which variant of the model (default: fp32)'),
    rounds: integer('starts of each program (default: 7)'),
    image: existingFile('image to send (default: a picture made by code)'),
    cold: flag(
      'empty the file cache of the whole machine before each start; it takes root on Linux',
    ),
  },
});
const { precision = 'fp32', rounds = 7 } = values;
const folder = temporaryFolder(tmpdir(), 'bench-start');
const picture = values.image
  ? readFileSync(values.image)
  : Buffer.from(texturePng({ width: 500, height: 375, seed: 1 }));
const image = picture.toString('base64');
const model = embeddedModel(values.model!, precision, false);
const [onnx = ''] = Object.values(model.files);

async function startBare(executable: string): Promise<number> {
  const begun = performance.now();
  const { input, layout, height, width } = model.manifest.graph;
  const shape = layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];
  const args = [onnx, `${availableParallelism()}`, input, shape.join('x')];
  const child = Bun.spawn([executable, ...args], {
    env: {},
    stdout: 'pipe',
  });
  const said = await new Response(child.stdout).text();
  if (!said.includes('first run')) throw new Error('the bare program failed');
  return performance.now() - begun;
}

const memory = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${field}:\\s+(\\d+)`));
  return Number(line?.[1]) / 1000;
};

try {
  const ours = join(folder, 'resnet50-encoder');
  const bare = join(folder, 'bare');
  mkdirSync(folder, { recursive: true });
  await compile({ outfile: ours, model });
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'bare/main.ts')],
    target: 'bun',
    minify: true,
    bytecode: true,
    format: 'esm',
    conditions: ['node'],
    compile: { outfile: bare },
  });
  if (!built.success) throw new AggregateError(built.logs);

  const ready: number[] = [];
  const first: number[] = [];
  const bareFirst: number[] = [];
  let emptied: Emptied | undefined;
  for (let round = -1; round < rounds; round++) {
    if (values.cold) emptied = emptyFileCache([ours]);
    const begun = performance.now();
    await using operator = await startExecutable(ours, {
      port: 53800 + round + 1,
      precision,
      image,
    });
    await operator.execute();
    const total = performance.now() - begun;
    if (values.cold) emptyFileCache([bare, onnx]);
    const theirs = await startBare(bare);
    // The round before the first fills the file cache, unless it is emptied.
    if (round < 0) continue;
    ready.push(operator.readyMs);
    first.push(total);
    bareFirst.push(theirs);
  }
  await using operator = await startExecutable(ours, { port: 53900, precision, image });
  await operator.execute();
  await Bun.sleep(2000);
  const idle = memory(operator.pid, 'VmRSS');
  let left = 200;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await operator.execute();
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  const peak = memory(operator.pid, 'VmHWM');

  const size = (statSync(ours).size / 1e6).toFixed(1);
  const cache = emptied ? `emptied before each (${emptied})` : 'warm';
  const load = loadavg()[0]?.toFixed(2);
  console.log(`${precision}, ${size} MB, file cache ${cache}, load average ${load}\n`);
  console.log(`| from exec to | median ms of ${rounds} | slowest |\n|---|---|---|`);
  console.log(`| /readyz 200 | ${figures(ready)} |`);
  console.log(`| the first vector | ${figures(first)} |`);
  console.log(`| the first run of a bare onnxruntime-web program | ${figures(bareFirst)} |`);
  const ratios = first.map((ms, i) => ms / (bareFirst[i] ?? Number.NaN));
  console.log(`\nfirst vector / bare first run, median of the pairs: ${median(ratios).toFixed(2)}`);
  console.log(
    `resident memory, ready and idle: ${idle.toFixed(0)} MB; peak over 200 images, four at a time: ${peak.toFixed(0)} MB`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
