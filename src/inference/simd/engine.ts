/** The `simd` engine: convolutional networks of the ResNet family in our own WebAssembly kernels, on all cores. */
import type { Worker } from 'node:worker_threads';
import { atMost } from '../../at-most.ts';
import { createStallWatch } from '../../stall-watch.ts';
import { startWorker } from '../../threads.ts';
import type { Engine } from '../engine.ts';
import { patienceFor } from '../engine-patience.ts';
import { loadKernels } from './kernels/load-kernels.ts';
import { openNetwork, type SimdModel } from './open-network.ts';
import { planNetwork } from './plan/plan-network.ts';
import { createMemory, openContexts } from './threads/memory.ts';
import type { ThreadData } from './threads/messages.ts';
import { createPool } from './threads/pool.ts';
import { startThreads, type Threads } from './threads/start-threads.ts';
import { watchThreads } from './threads/watch-threads.ts';
import { Unsupported } from './unsupported.ts';

export interface SimdOptions {
  readonly model: SimdModel;
  /** Computing threads, at least 1. */
  readonly threads: number;
  /**
   * Starts computing thread number `index`.
   * @default the product's; tests put their hands on a thread here
   */
  readonly startThread?: (index: number) => Worker;
  /**
   * How long a thread may be with one image, in milliseconds.
   * @default by what the first run takes
   */
  readonly patienceMs?: number;
  /** Longest that opening, and the first run, may take, in milliseconds. @default ten minutes */
  readonly openingMs?: number;
}

/** The engine, or in words what the model has that it does not run. */
export type SimdResult = { readonly engine: Engine } | { readonly unsupported: string };

/**
 * Plans the network, loads its weights and runs it once, so that the kernels are compiled when the promise settles.
 * @throws Error when the file cannot be read or a thread does not start
 */
export async function createSimdEngine(options: SimdOptions): Promise<SimdResult> {
  const { model, threads: count, startThread = start } = options;
  // The threads load their code while the network is planned here.
  const threads = startThreads(count, startThread);
  try {
    return { engine: await open(model, threads, options) };
  } catch (error) {
    await atMost(closingMs, threads.close());
    if (error instanceof Unsupported) return { unsupported: error.message };
    throw error;
  }
}

/** Longest that threads may take to end, in milliseconds; one that hangs may never. */
const closingMs = 2000;

/** A disk that is slow, a machine that is emulated; what takes longer hangs. */
const mostOpeningMs = 600_000;

async function open(
  model: SimdModel,
  threads: Threads,
  { patienceMs, openingMs = mostOpeningMs }: SimdOptions,
): Promise<Engine> {
  const count = threads.all.length;
  const { layout } = model.manifest.graph;
  const { plan, constants } = planNetwork(openNetwork(model), { threads: count, layout });
  const memory = createMemory(plan, constants);
  const words = new Int32Array(memory.buffer);
  const hangs = Promise.withResolvers<Error>();
  const watched = watchThreads(threads.all, hangs.resolve);
  const pool = createPool(watched.all, openContexts(plan, memory));
  const stop = (error: Error): void => {
    Atomics.store(words, plan.control.abort / 4, 1);
    pool.fail(error);
    watched.stop();
  };
  const lost = Promise.race([threads.lost, hangs.promise]).then((error) => {
    stop(error);
    return error;
  });
  threads.onLeft((thread, message) => {
    watched.left(thread);
    pool.left(thread, message);
  });

  const kernels = loadKernels(plan.format);
  const opening = createStallWatch(openingMs, hangs.resolve);
  const opened = opening(threads.open({ type: 'open', plan, memory, kernels, slice: model.slice }));
  await Promise.race([opened, hangs.promise.then((error) => Promise.reject(error))]);
  watched.watch(openingMs);
  const begun = performance.now();
  await pool.run(new Float32Array(plan.inputValues));
  // The first run compiles the kernels, so a further one is quicker; all threads work on it, and then on an image each.
  const firstMs = performance.now() - begun;
  watched.watch(patienceMs ?? patienceFor({ firstMs, imageMs: firstMs }, count));

  return {
    name: 'simd',
    device: 'wasm',
    threads: count,
    concurrency: count,
    // A batch brings nothing: an image's steps keep all threads busy, and weights come from the cache either way.
    maxBatch: 1,
    run(inputs) {
      for (const { length } of inputs)
        if (length !== plan.inputValues)
          return Promise.reject(
            new RangeError(`a tensor of ${length} values, ${plan.inputValues} expected`),
          );
      return Promise.all(inputs.map(pool.run));
    },
    lost,
    async close() {
      stop(new Error('the engine is closed'));
      await atMost(closingMs, threads.close());
    },
  };
}

const start = (index: number): Worker =>
  startWorker('inference/simd/worker', { index } satisfies ThreadData);
