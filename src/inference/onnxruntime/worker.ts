/** The thread onnxruntime lives on: one session, batches in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError } from '../../errors.ts';
import type { WarmUpTimes } from '../engine-patience.ts';
import {
  type AdapterChoice,
  type AdapterInfo,
  MissingFeatureError,
  openDevice,
} from '../webgpu/adapter.ts';
import { openSession, type SessionOptions } from './session.ts';
import { imagesOf, type SharedBatch } from './shared-batches.ts';
import { warmUp } from './warm-up.ts';

/** What the thread is started with; with `gpu` it runs on WebGPU, else on WASM. */
export interface WorkerOptions extends SessionOptions {
  readonly gpu?: AdapterChoice | undefined;
}

/** To the thread: load the model, run a batch, end. */
export type WorkerRequest =
  | { readonly type: 'open' }
  | ({ readonly type: 'run'; readonly id: number } & SharedBatch)
  | { readonly type: 'close' };

/** What the other side makes of a failure: the GPU lacks a feature, or the model is at fault. */
export type FailureReason = 'feature' | 'model' | undefined;

/** From the thread: the GPU it would run on, ready, could not start, the end of a batch, or the end of the GPU. */
export type WorkerReply =
  | { readonly type: 'found'; readonly adapter: AdapterInfo | undefined }
  | { readonly type: 'ready'; readonly times: WarmUpTimes }
  | { readonly type: 'failed'; readonly message: string; readonly reason: FailureReason }
  | { readonly type: 'rows'; readonly id: number; readonly rows: Float32Array[] }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  | { readonly type: 'lost'; readonly message: string };

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const reply = (message: WorkerReply): void => port.postMessage(message);
const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const options = workerData as WorkerOptions;
const asked = Promise.withResolvers<void>();
const reasonOf = (error: unknown): FailureReason => {
  if (error instanceof MissingFeatureError) return 'feature';
  return error instanceof ConfigError ? 'model' : undefined;
};

let run: (inputs: readonly Float32Array[]) => Promise<Float32Array[]>;
let close = async (): Promise<void> => {};
// onnxruntime runs one batch at a time; the next one's message waits in this chain.
let last: Promise<unknown> = Promise.resolve();
port.on('message', (request: WorkerRequest) => {
  if (request.type === 'open') asked.resolve();
  else if (request.type === 'close') last = last.then(close).finally(() => port.close());
  else {
    const { id } = request;
    last = last
      .then(() => run(imagesOf(request, options.shape)))
      .then((rows) => reply({ type: 'rows', id, rows }))
      .catch((error: unknown) => reply({ type: 'error', id, message: text(error) }));
  }
});

try {
  const gpu = options.gpu ? await openDevice(options.gpu) : undefined;
  void gpu?.device.lost.then(({ reason, message }) =>
    reply({ type: 'lost', message: `the GPU device was lost (${reason}): ${message}` }),
  );
  /** What the GPU itself complained of is the better reason, and makes a result worthless. */
  const soundly = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      gpu?.assertSound();
    }
  };
  close = async () => gpu?.close();
  reply({ type: 'found', adapter: gpu?.info });
  await asked.promise;
  const session = await soundly(() => openSession(options, gpu));
  close = async () => {
    await session.release();
    gpu?.close();
  };
  run = (inputs) => soundly(() => session.run(inputs));
  reply({ type: 'ready', times: await warmUp(run, options) });
} catch (error) {
  reply({ type: 'failed', message: text(error), reason: reasonOf(error) });
}
