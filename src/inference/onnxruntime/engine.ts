/** The `onnxruntime` engine: any ONNX model, on onnxruntime-web in a thread of its own. */
import { startWorker } from '../../threads.ts';
import type { Engine } from '../engine.ts';
import type { SessionOptions } from './session.ts';
import type { WorkerReply } from './worker.ts';

interface Pending {
  resolve(rows: Float32Array[]): void;
  reject(error: Error): void;
}

/** @throws Error when the model cannot be loaded */
export async function createOnnxruntimeEngine(options: SessionOptions): Promise<Engine> {
  const worker = startWorker('inference/onnxruntime/worker', options);
  const pending = new Map<number, Pending>();
  const started = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<Error>();
  let nextId = 0;
  let dead: Error | undefined;

  const fail = (error: Error): void => {
    dead ??= error;
    started.reject(error);
    for (const entry of pending.values()) entry.reject(error);
    pending.clear();
    lost.resolve(error);
  };
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => fail(new Error(`onnxruntime's thread ended (${code})`)));
  worker.on('message', (reply: WorkerReply) => {
    if (reply.type === 'ready') return started.resolve();
    if (reply.type === 'failed') return started.reject(new Error(reply.message));
    const entry = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.type === 'rows') entry?.resolve(reply.rows);
    else entry?.reject(new Error(reply.message));
  });

  try {
    await started.promise;
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  return {
    name: 'onnxruntime',
    device: 'wasm',
    threads: options.threads,
    // A run uses every thread, and a batch brings nothing on WASM; the second call only hides the hand-over.
    concurrency: 2,
    maxBatch: 1,
    lost: lost.promise,
    run(inputs) {
      if (dead) return Promise.reject(dead);
      const id = nextId++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, inputs });
      });
    },
    async close() {
      await worker.terminate();
    },
  };
}
