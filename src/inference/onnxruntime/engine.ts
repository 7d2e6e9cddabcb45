/** The `onnxruntime` engine: any ONNX model, on onnxruntime-web in a thread of its own, on WASM or WebGPU. */

import { atMost } from '../../at-most.ts';
import { ConfigError } from '../../errors.ts';
import { createStallWatch } from '../../stall-watch.ts';
import { startWorker } from '../../threads.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import type { Engine } from '../engine.ts';
import { patienceFor } from '../engine-patience.ts';
import { MissingFeatureError } from '../webgpu/adapter.ts';
import type { CaptureTrial } from './graph-capture.ts';
import { createSharedBatches } from './shared-batches.ts';
import type { WorkerOptions, WorkerReply, WorkerRequest } from './worker.ts';

/** Sizes of batch on a GPU: shapes stay few, so that pipelines and buffers are made once. */
const gpuBatchSizes = [1, 2, 4, 8, 16, 32, 64, 128];
/** Longest that a thread may take to free what it holds, in milliseconds, before it is ended as it is. */
const closingMs = 2000;
/** Longest that a GPU may take to be found, and to be ready: a driver that hangs must not keep the operator from starting. */
const gpuOpeningMs = 180_000;
/** On the CPU: a disk that is slow, a machine that is emulated; what takes longer hangs. */
const cpuOpeningMs = 600_000;
/** Batches in the thread at once: on a GPU one is computed while the next is issued, else only the hand-over is hidden. */
const concurrency = 2;

type Ready = WorkerReply & { readonly type: 'ready' };

export interface OnnxruntimeEngine extends Engine {
  /** What graph capture brings; undefined when it was not tried. */
  readonly capture: CaptureTrial | undefined;
}

/** Graph capture broke the session, the device or the driver; without it all may be well. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}

export interface OnnxruntimeEngineOptions extends WorkerOptions {
  /** Most images in a batch; on WASM a batch brings nothing. @default 1 */
  readonly maxBatch?: number;
  /** Asked when the GPU is known and before the model is loaded; what it throws ends the opening. */
  readonly accept?: ((adapter: AdapterInfo) => void) | undefined;
  /** Longest that the GPU may take to be found, and the model to be opened, in milliseconds. @default by the device */
  readonly openingMs?: number;
}

/**
 * @throws MissingFeatureError when the GPU lacks what the model needs
 * @throws CaptureError when graph capture failed
 * @throws ConfigError when the model is not what its manifest says, or nothing that onnxruntime runs
 * @throws Error when the model cannot be loaded, or there is no GPU of the kind asked for
 */
export async function createOnnxruntimeEngine(
  options: OnnxruntimeEngineOptions,
): Promise<OnnxruntimeEngine> {
  const maxBatch = options.maxBatch ?? 1;
  const { accept, openingMs: _, ...rest } = options;
  const workerOptions: WorkerOptions = {
    ...rest,
    batchSizes: options.gpu ? sizesUpTo(maxBatch) : undefined,
  };
  const worker = startWorker('inference/onnxruntime/worker', workerOptions);
  const batches = createSharedBatches(options.shape, maxBatch);
  const pending = new Map<number, PromiseWithResolvers<Float32Array[]>>();
  const found = Promise.withResolvers<AdapterInfo | undefined>();
  const started = Promise.withResolvers<Ready>();
  const lost = Promise.withResolvers<Error>();
  const ended = Promise.withResolvers<void>();
  let nextId = 0;
  let dead: Error | undefined;
  let closed = false;

  const fail = (error: Error): void => {
    dead ??= error;
    found.reject(error);
    started.reject(error);
    for (const entry of pending.values()) entry.reject(error);
    pending.clear();
    if (!closed) lost.resolve(error);
  };
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => {
    ended.resolve();
    fail(new Error(`onnxruntime's thread ended (${code})`));
  });
  worker.on('message', (reply: WorkerReply) => {
    if (reply.type === 'found') return found.resolve(reply.adapter);
    if (reply.type === 'ready') return started.resolve(reply);
    if (reply.type === 'failed') return fail(failure(reply));
    if (reply.type === 'lost') return fail(new Error(reply.message));
    const entry = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.type === 'rows') entry?.resolve(reply.rows);
    else entry?.reject(new Error(reply.message));
  });

  const close = async (): Promise<void> => {
    closed = true;
    worker.postMessage({ type: 'close' } satisfies WorkerRequest);
    await atMost(closingMs, ended.promise);
    // To end a thread from outside while Dawn owes it an answer aborts the whole process: it ends when it comes back, if it does.
    if (options.gpu) worker.unref();
    else await atMost(closingMs, worker.terminate());
  };

  let adapter: AdapterInfo | undefined;
  let ready: Ready;
  const { openingMs = options.gpu ? gpuOpeningMs : cpuOpeningMs } = options;
  const opening = createStallWatch(openingMs, ({ message }) =>
    fail(new Error(`${options.gpu ? 'the GPU' : 'onnxruntime'} is not ready: ${message}`)),
  );
  started.promise.catch(() => {});
  const open = async (): Promise<Ready> => {
    adapter = await found.promise;
    if (adapter) accept?.(adapter);
    worker.postMessage({ type: 'open' } satisfies WorkerRequest);
    return started.promise;
  };
  try {
    ready = await opening(open());
  } catch (error) {
    await close();
    throw error;
  }
  const watch = createStallWatch(patienceFor(ready.times, maxBatch), fail);

  return {
    name: 'onnxruntime',
    device: options.gpu ? 'webgpu' : 'wasm',
    adapter,
    capture: ready.capture,
    threads: options.gpu ? 1 : options.threads,
    concurrency,
    maxBatch,
    lost: lost.promise,
    async run(inputs) {
      if (dead) throw dead;
      const id = nextId++;
      const batch = batches.put(inputs);
      const settled = Promise.withResolvers<Float32Array[]>();
      pending.set(id, settled);
      worker.postMessage({ type: 'run', id, ...batch } satisfies WorkerRequest);
      const rows = await watch(settled.promise);
      batches.giveBack(batch);
      return rows;
    },
    close,
  };
}

function failure({ reason, message }: WorkerReply & { type: 'failed' }): Error {
  if (reason === 'feature') return new MissingFeatureError(message);
  if (reason === 'capture') return new CaptureError(message);
  return reason === 'model' ? new ConfigError(message) : new Error(message);
}

const sizesUpTo = (maxBatch: number): number[] => [
  ...gpuBatchSizes.filter((size) => size < maxBatch),
  maxBatch,
];
