/**
 * What a caller sees: `npm run bench -- serve --model FOLDER/resnet50.onnx [--precision fp32] [--images FOLDER] [--calls 60]
 * [--concurrency 1,4]`. The compiled executable with each engine, both running, called in turn over gRPC (grpc-js, one image a
 * call); then where the time goes, from the operator's own log.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  existingFile,
  existingFolder,
  integer,
  integers,
  oneOf,
  required,
} from '../model/options.ts';
import { ConfigError } from '../src/errors.ts';
import { precisions } from '../src/model/manifest.ts';
import { testExecutable } from '../tests/support/executable.ts';
import { type LogLine, type Operator, startOperator } from '../tests/support/operator.ts';
import { textureJpeg } from '../tests/support/pictures.ts';
import { benchOptions } from './options.ts';

const proto = join(import.meta.dir, '../proto/omnisearch/operator.proto');
/** Calls in a row to one operator before it is another's turn. */
const turn = 10;

interface OperatorClient extends Client {
  execute(request: { datas: string[] }, done: (error: Error | null) => void): void;
}

interface Contender extends AsyncDisposable {
  readonly engine: string;
  readonly operator: Operator;
  readonly client: OperatorClient;
}

async function open(executable: string, engine: string, precision: string): Promise<Contender> {
  const args = ['--engine', engine, '--precision', precision, '--log-level', 'info'];
  const operator = await startOperator({ executable, args, patienceMs: 60_000 });
  const definition = loadPackageDefinition(loadSync(proto, { keepCase: true }));
  const { omnisearch } = definition as unknown as {
    omnisearch: { Operator: new (address: string, c: unknown) => OperatorClient };
  };
  const client = new omnisearch.Operator(
    `127.0.0.1:${operator.port}`,
    credentials.createInsecure(),
  );
  return {
    engine,
    operator,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await operator.stop();
    },
  };
}

const execute = ({ client }: Contender, image: string): Promise<void> =>
  new Promise((resolve, reject) =>
    client.execute({ datas: [image] }, (error) => (error ? reject(error) : resolve())),
  );

/** @returns milliseconds of each call, and of all together */
async function callAll(
  contender: Contender,
  images: readonly string[],
  concurrency: number,
): Promise<{ each: number[]; all: number }> {
  const left = [...images];
  const each: number[] = [];
  const begun = performance.now();
  const caller = async (): Promise<void> => {
    for (let image = left.pop(); image !== undefined; image = left.pop()) {
      const sent = performance.now();
      await execute(contender, image);
      each.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return { each, all: performance.now() - begun };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

async function compare(
  contenders: readonly Contender[],
  images: readonly string[],
  concurrency: number,
): Promise<string[]> {
  const times = contenders.map(() => ({ each: [] as number[], all: [] as number[] }));
  const size = Math.max(turn, 4 * concurrency);
  for (let first = 0; first < images.length; first += size)
    for (const [index, contender] of contenders.entries()) {
      const batch = images.slice(first, first + size);
      const { each, all } = await callAll(contender, batch, concurrency);
      times[index]!.each.push(...each);
      times[index]!.all.push(all / batch.length);
    }
  return contenders.map(({ engine }, index) => {
    const { each, all } = times[index]!;
    each.sort((a, b) => a - b);
    const faster = all.map((ms, i) => times.at(-1)!.all[i]! / ms).sort((a, b) => a - b);
    const perSecond =
      1000 /
      at(
        all.toSorted((a, b) => a - b),
        0.5,
      );
    const cells = [at(each, 0.5), at(each, 0.99), perSecond].map((x) => x.toFixed(1));
    return `| ${[concurrency, engine, ...cells, at(faster, 0.5).toFixed(2)].join(' | ')} |`;
  });
}

/** Medians of the stages of calls that had the operator to themselves. */
function split({ engine, operator }: Contender, calls: number): string {
  const stages = ['decode', 'preprocess', 'queue', 'infer', 'ms'];
  const lines = operator.logs.filter((line) => line.method === 'Execute').slice(-calls);
  const median = (stage: string): number =>
    at(
      lines.map((line: LogLine) => Number(line[stage])).sort((a, b) => a - b),
      0.5,
    );
  return `| ${[engine, ...stages.map((stage) => median(stage).toFixed(1))].join(' | ')} |`;
}

async function readImages(folder: string | undefined, count: number): Promise<string[]> {
  const files = folder
    ? readdirSync(folder)
        .filter((file) => /\.jpe?g$/i.test(file))
        .map((file) => readFileSync(join(folder, file)))
    : await Promise.all(
        Array.from({ length: 8 }, async (_, seed) =>
          Buffer.from(await textureJpeg({ width: 500, height: 375, seed })),
        ),
      );
  if (files.length === 0) throw new ConfigError(`--images ${folder}: no JPEG file in it`);
  return Array.from({ length: count }, (_, i) => files[i % files.length]!.toString('base64'));
}

const values = benchOptions({
  usage: 'serve --model FILE',
  about:
    'What a caller sees over gRPC: the compiled executable with each engine, in turn, one image a call.',
  table: {
    model: required(existingFile('resnet50.onnx; its manifest lies beside it')),
    precision: oneOf(precisions, 'which variant of the model (default: fp32)'),
    images: existingFolder('JPEG files to send (default: pictures made by code)'),
    calls: integer('calls for each figure (default: 60)'),
    concurrency: integers('calls at a time (default: 1,4)'),
  },
});
const { precision = 'fp32', concurrency = [1, 4] } = values;
const images = await readImages(values.images, values.calls ?? 60);
const executable = await testExecutable(values.model, precision);
await using simd = await open(executable, 'simd', precision);
await using reference = await open(executable, 'onnxruntime', precision);
const contenders = [simd, reference];
for (const contender of contenders) await callAll(contender, images.slice(0, turn), 1);

console.log('| calls at a time | engine | median ms | p99 ms | images/s | times faster |');
console.log('|---|---|---|---|---|---|');
for (const count of concurrency)
  for (const row of await compare(contenders, images, count)) console.log(row);
for (const contender of contenders) await callAll(contender, images.slice(0, 2 * turn), 1);
console.log('\n| median ms of a call alone | decode | preprocess | queue | infer | whole |');
console.log('|---|---|---|---|---|---|');
for (const contender of contenders) console.log(split(contender, 2 * turn));
