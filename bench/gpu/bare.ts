/** The engine by itself, in this process: no wire, no images, tensors made once. */

import type { AdapterInfo } from '../../src/inference/adapter-info.ts';
import { cosine } from '../../src/inference/cosine.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { openOnnxruntime } from '../../src/inference/opening/open-onnxruntime.ts';
import { sampleInput } from '../../src/inference/sample-input.ts';
import { type Model, openModel } from '../../src/model/open-model.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { rate, rateOfRuns, timeRuns } from './stopwatch.ts';

export type GpuPrecision = 'fp32' | 'fp16';

/** Images on which the GPU's vectors are compared with those of the CPU. */
const compared = 4;

export interface Bare {
  readonly rows: Row[];
  /** Name, driver, backend and features of the GPU. */
  readonly adapter: string;
}

/** @throws Error with a sentence: no GPU, or none with half precision */
export async function measureBare(
  model: Model,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Bare> {
  const precision = model.precision as GpuPrecision;
  const begun = performance.now();
  const engine = await openOnnxruntime(model, {
    threads: 1,
    maxBatch: Math.max(...options.batches),
    captureMode: 'auto',
    gpu: {
      adapter: options.adapter,
      allowSoftware: options.allowSoftware,
      needsF16: precision === 'fp16',
    },
  });
  try {
    const adapter = describe(engine.adapter);
    tell(
      `${precision} on ${engine.adapter?.name}, warm after ${seconds(performance.now() - begun)}`,
    );
    const rows: Row[] = [];
    if (engine.capture) {
      const { issuedMs: issued, replayedMs: replayed, refused } = engine.capture;
      const more = { issued, replayed, used: refused ? 0 : 1 };
      rows.push({ part: 'bare', variant: precision, kind: 'capture', more });
    }
    for (const batch of options.batches)
      rows.push(await measureBatch(engine, batch, model, options, tell));
    const closeness = await compareWithCpu(engine, model);
    tell(`${precision} against the CPU's fp32: cosine at least ${closeness.toFixed(7)}`);
    rows.push({ part: 'bare', variant: precision, kind: 'cosine', more: { least: closeness } });
    return { rows, adapter };
  } finally {
    await engine.close();
  }
}

function describe(adapter: AdapterInfo | undefined): string {
  if (!adapter) return 'unknown';
  const { name, driver, backend, software, features } = adapter;
  const warning = software ? '; SOFTWARE: the figures say nothing of a GPU' : '';
  return `${name}, ${driver}, ${backend}; ${features.join(', ')}${warning}`;
}

async function measureBatch(
  engine: Engine,
  batch: number,
  model: Model,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Row> {
  const images = samples(model, batch);
  const run = (): Promise<unknown> => engine.run(images);
  const ms = await timeRuns(run, options.seconds / 2);
  // As the scheduler does: the next batch is handed over while this one runs.
  const runsPerSecond = await rateOfRuns(run, engine.concurrency, options.seconds);
  const imagesPerSecond = runsPerSecond * batch;
  tell(
    `bare ${model.precision}, batch ${batch}: ${ms.median.toFixed(2)} ms, ${rate(imagesPerSecond)}`,
  );
  return { part: 'bare', variant: model.precision as GpuPrecision, batch, imagesPerSecond, ms };
}

/** Least cosine between the GPU's rows, run as one batch, and onnxruntime's in float32 on the CPU. */
async function compareWithCpu(engine: Engine, model: Model): Promise<number> {
  const images = samples(model, Math.min(compared, engine.maxBatch));
  const rows = await engine.run(images);
  const cpu = await openOnnxruntime(openModel(pathOf(model), 'fp32'), { threads: 2 });
  try {
    const cosines: number[] = [];
    for (const [i, image] of images.entries()) {
      const [reference] = await cpu.run([image]);
      cosines.push(cosine(rows[i]!, reference!));
    }
    return Math.min(...cosines);
  } finally {
    await cpu.close();
  }
}

const pathOf = ({ slice }: Model): string => slice.path.replace('.fp16.', '.');

/** Preprocessed pictures, each another. */
export function samples({ manifest }: Model, count: number): Float32Array[] {
  const { height, width } = manifest.graph;
  return Array.from({ length: count }, (_, i) => sampleInput(3 * height * width, i + 1, 127));
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
