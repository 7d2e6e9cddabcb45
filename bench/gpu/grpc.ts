/** Through the interface: the executable serves, and clients in processes of their own call it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../../src/model/open-model.ts';
import { compiled } from '../../src/threads.ts';
import type { GpuPrecision } from './bare.ts';
import type { ClientFigures, ClientOrder } from './client.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { rate, summary } from './stopwatch.ts';

/** One client process for so many calls at a time, so that clients are not what is measured. */
const callsPerClient = 16;
/** The operator's default; less where `--batches` has less, for a GPU that is small or slow. */
const largestBatch = 32;

export interface GrpcOptions {
  readonly executable: string;
  readonly model: Model;
  /** JPEGs. */
  readonly files: readonly Buffer[];
  /** For the JPEGs. */
  readonly folder: string;
}

/** @throws Error with a sentence when the operator does not start or a call fails */
export async function measureGrpc(
  { executable, model, files, folder }: GrpcOptions,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const variant = model.precision as GpuPrecision;
  const paths = files.map((_, i) => join(folder, `${i}.jpg`));
  mkdirSync(folder, { recursive: true });
  for (const [i, path] of paths.entries()) writeFileSync(path, files[i]!);
  await using operator = await startOperator(executable, [
    ...['--model', model.slice.path.replace('.fp16.', '.'), '--precision', variant],
    ...['--max-batch', `${Math.min(largestBatch, ...options.batches.slice(-1))}`],
    ...['--device', 'webgpu', ...(options.allowSoftware ? ['--allow-software-gpu'] : [])],
    ...(options.adapter === undefined ? [] : ['--adapter', options.adapter]),
  ]);
  if (operator.precision !== variant)
    throw new Error(`the operator runs ${operator.precision} on this GPU instead`);
  tell(`the operator was ready after ${(operator.readyMs / 1000).toFixed(1)} s (${variant})`);
  const rows: Row[] = [];
  for (const concurrency of options.concurrencies) {
    const row = await load(operator, variant, concurrency, paths, model, options);
    operator.assertSound();
    rows.push(row);
    tell(
      `gRPC ${variant}, ${concurrency} at a time: ${rate(row.imagesPerSecond ?? Number.NaN)}, ${row.ms?.median.toFixed(1)} ms a call`,
    );
  }
  return rows;
}

async function load(
  operator: RunningOperator,
  variant: GpuPrecision,
  concurrency: number,
  files: readonly string[],
  { manifest }: Model,
  { seconds }: BenchOptions,
): Promise<Row> {
  const clients = Math.ceil(concurrency / callsPerClient);
  const order = { port: operator.port, files, dimension: manifest.dimension };
  const share = (i: number): number =>
    Math.floor(concurrency / clients) + (i < concurrency % clients ? 1 : 0);
  const cpu = operator.cpuSeconds();
  const begun = performance.now();
  const figures = await Promise.all(
    Array.from({ length: clients }, (_, i) =>
      clientProcess({ ...order, concurrency: share(i), warmUpSeconds: seconds / 2, seconds }),
    ),
  );
  const operatorCores = (1000 * (operator.cpuSeconds() - cpu)) / (performance.now() - begun);
  const sum = (of: (client: ClientFigures) => number): number =>
    figures.reduce((total, client) => total + of(client), 0);
  const calls = sum(({ times }) => times.length);
  const call = sum(({ times }) => times.reduce((total, ms) => total + ms, 0)) / calls;
  const stages = Object.keys(figures[0]?.stages ?? {}).map((stage) => [
    stage,
    sum(({ times, stages }) => times.length * (stages[stage] ?? 0)) / calls,
  ]);
  return {
    part: 'grpc',
    variant,
    concurrency,
    imagesPerSecond: sum(({ callsPerSecond }) => callsPerSecond),
    ms: summary(figures.flatMap(({ times }) => times)),
    more: {
      ...Object.fromEntries(stages),
      call,
      operatorCores,
      clientCores: sum(({ cores }) => cores),
      clients,
    },
  };
}

/** This program again, as a client. */
async function clientProcess(order: ClientOrder): Promise<ClientFigures> {
  const self = compiled ? [] : [join(import.meta.dir, '../gpu.ts')];
  const child = Bun.spawn([process.execPath, ...self, '--client', JSON.stringify(order)], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const text = await new Response(child.stdout).text();
  process.off('exit', end);
  if ((await child.exited) !== 0) throw new Error('a client ended early');
  return JSON.parse(text) as ClientFigures;
}
