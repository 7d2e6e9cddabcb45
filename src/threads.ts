import { Worker } from 'node:worker_threads';

/** Every thread's entry file, relative to src/ and without its suffix; the build compiles each into the binary. */
export const workerEntries = [
  'image/decode-worker',
  'image/source/fetch-worker',
  'inference/onnxruntime/worker',
  'inference/simd/worker',
] as const;
export type WorkerEntry = (typeof workerEntries)[number];

/** True within the compiled executable. */
export const compiled: boolean = /\$bunfs|~BUN/.test(import.meta.url);

const base = compiled ? new URL('/$bunfs/root/', 'file:') : new URL('./', import.meta.url);

/** Starts a thread, from the sources or from within the compiled executable alike. */
export function startWorker(entry: WorkerEntry, workerData: unknown): Worker {
  const url = new URL(`${entry}.${compiled ? 'js' : 'ts'}`, base);
  return new Worker(url, { workerData });
}
