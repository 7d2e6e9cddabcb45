/**
 * From exec to the first vector: `npm run bench -- start --model FOLDER/resnet50.onnx [--rounds 7] [--image FILE]`.
 *
 * The executable with the model inside, and a bare compiled onnxruntime-web program, in turn, so that what else the machine
 * does falls on both. Then the memory of the executable: ready and idle, and at its peak over 200 images, four at a time.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../build/compile.ts';
import { embeddedModel } from '../build/embedded-model.ts';
import { texturePng } from '../tests/support/pictures.ts';

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    precision: { type: 'string', default: 'fp32' },
    rounds: { type: 'string', default: '7' },
    image: { type: 'string' },
  },
});
if (!values.model) throw new Error('--model FILE: an ONNX file with its manifest beside it');
const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
const image = values.image
  ? readFileSync(values.image)
  : Buffer.from(texturePng({ width: 500, height: 375, seed: 1 }));
const body = JSON.stringify({ datas: [image.toString('base64')] });

interface Running extends Disposable {
  readonly pid: number;
  readonly readyMs: number;
  execute(): Promise<void>;
}

async function startOurs(executable: string, port: number): Promise<Running> {
  const begun = performance.now();
  const child = Bun.spawn([executable, 'serve', '--listen', `127.0.0.1:${port}`], {
    env: {},
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const ready = await fetch(`${url}/readyz`)
      .then((reply) => reply.ok)
      .catch(() => false);
    if (ready) break;
    if (performance.now() - begun > 60_000) throw new Error('not ready within a minute');
    await Bun.sleep(2);
  }
  const readyMs = performance.now() - begun;
  return {
    pid: child.pid,
    readyMs,
    async execute() {
      const reply = await fetch(`${url}/omnisearch.Operator/Execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (!reply.ok) throw new Error(await reply.text());
      await reply.arrayBuffer();
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

async function startBare(executable: string, model: string): Promise<number> {
  const begun = performance.now();
  const child = Bun.spawn([executable, model, `${availableParallelism()}`], {
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
  await compile({ outfile: ours, model: embeddedModel(values.model, values.precision, false) });
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
  for (let round = -1; round < Number(values.rounds); round++) {
    const begun = performance.now();
    using operator = await startOurs(ours, 53800 + round + 1);
    await operator.execute();
    const total = performance.now() - begun;
    const theirs = await startBare(bare, values.model);
    // The round before the first fills the file cache.
    if (round < 0) continue;
    ready.push(operator.readyMs);
    first.push(total);
    bareFirst.push(theirs);
  }
  using operator = await startOurs(ours, 53900);
  await operator.execute();
  await Bun.sleep(2000);
  const idle = memory(operator.pid, 'VmRSS');
  let left = 200;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await operator.execute();
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  const peak = memory(operator.pid, 'VmHWM');

  console.log(`| from exec to | median ms of ${values.rounds} |\n|---|---|`);
  console.log(`| /readyz 200 | ${median(ready).toFixed(0)} |`);
  console.log(`| the first vector | ${median(first).toFixed(0)} |`);
  console.log(
    `| the first run of a bare onnxruntime-web program | ${median(bareFirst).toFixed(0)} |`,
  );
  const ratios = first.map((ms, i) => ms / (bareFirst[i] ?? Number.NaN));
  console.log(`\nfirst vector / bare first run, median of the pairs: ${median(ratios).toFixed(2)}`);
  console.log(
    `resident memory, ready and idle: ${idle.toFixed(0)} MB; peak over 200 images, four at a time: ${peak.toFixed(0)} MB`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
