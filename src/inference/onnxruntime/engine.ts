/** The `onnxruntime` engine: any ONNX model, on onnxruntime-web in a thread of its own, on WASM or WebGPU. */
import { startWorker } from '../../threads.ts';
import type { Engine } from '../engine.ts';
import type { AdapterInfo } from '../webgpu/adapter.ts';
import type { WorkerOptions, WorkerReply, WorkerRequest } from './worker.ts';

/** Sizes of batch on a GPU: shapes stay few, so that pipelines and buffers are made once. */
const gpuBatchSizes = [1, 2, 4, 8, 16, 32, 64];

interface Pending {
  resolve(rows: Float32Array[]): void;
  reject(error: Error): void;
}

export interface OnnxruntimeEngine extends Engine {
  /** The GPU, when there is one. */
  readonly adapter: AdapterInfo | undefined;
  /** Loses the GPU on purpose, for tests of what follows. */
  destroyDevice(): void;
}

export interface OnnxruntimeEngineOptions extends WorkerOptions {
  /** Most images in a batch; on WASM a batch brings nothing. @default 1 */
  readonly maxBatch?: number;
}

/** @throws Error when the model cannot be loaded, or there is no GPU of the kind asked for */
export async function createOnnxruntimeEngine(
  options: OnnxruntimeEngineOptions,
): Promise<OnnxruntimeEngine> {
  const maxBatch = options.maxBatch ?? 1;
  const workerOptions: WorkerOptions = {
    ...options,
    batchSizes: options.gpu ? sizesUpTo(maxBatch) : undefined,
  };
  const worker = startWorker('inference/onnxruntime/worker', workerOptions);
  const pending = new Map<number, Pending>();
  const started = Promise.withResolvers<AdapterInfo | undefined>();
  const lost = Promise.withResolvers<Error>();
  let nextId = 0;
  let dead: Error | undefined;
  let closed = false;

  const fail = (error: Error): void => {
    dead ??= error;
    started.reject(error);
    for (const entry of pending.values()) entry.reject(error);
    pending.clear();
    if (!closed) lost.resolve(error);
  };
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => fail(new Error(`onnxruntime's thread ended (${code})`)));
  worker.on('message', (reply: WorkerReply) => {
    if (reply.type === 'ready') return started.resolve(reply.adapter);
    if (reply.type === 'failed') return started.reject(new Error(reply.message));
    if (reply.type === 'lost') return fail(new Error(reply.message));
    const entry = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.type === 'rows') entry?.resolve(reply.rows);
    else entry?.reject(new Error(reply.message));
  });

  let adapter: AdapterInfo | undefined;
  try {
    adapter = await started.promise;
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  return {
    name: 'onnxruntime',
    device: options.gpu ? 'webgpu' : 'wasm',
    adapter,
    threads: options.gpu ? 1 : options.threads,
    // One batch is run at a time; the second call in flight only hides the hand-over.
    concurrency: 2,
    maxBatch,
    lost: lost.promise,
    run(inputs) {
      if (dead) return Promise.reject(dead);
      const id = nextId++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        worker.postMessage({ type: 'run', id, inputs } satisfies WorkerRequest);
      });
    },
    destroyDevice() {
      worker.postMessage({ type: 'destroyDevice' } satisfies WorkerRequest);
    },
    async close() {
      closed = true;
      await worker.terminate();
    },
  };
}

const sizesUpTo = (maxBatch: number): number[] => [
  ...gpuBatchSizes.filter((size) => size < maxBatch),
  maxBatch,
];
