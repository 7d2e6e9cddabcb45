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
import { type CaptureMode, type CaptureTrial, tryCapture, worthTrying } from './graph-capture.ts';
import { openSession, type SessionOptions } from './session.ts';
import { imagesOf, type SharedBatch } from './shared-batches.ts';
import { warmUp } from './warm-up.ts';

/** What the thread is started with; with `gpu` it runs on WebGPU, else on WASM. */
export interface WorkerOptions extends SessionOptions {
  readonly gpu?: AdapterChoice | undefined;
  /** Whether single images are replayed from a recording of the GPU's commands. @default off */
  readonly captureMode?: CaptureMode | undefined;
}

/** To the thread: load the model, run a batch, end. */
export type WorkerRequest =
  | { readonly type: 'open' }
  | ({ readonly type: 'run'; readonly id: number } & SharedBatch)
  | { readonly type: 'close' };

/** What the other side makes of a failure: the GPU lacks a feature, the model is at fault, or graph capture is. */
export type FailureReason = 'feature' | 'model' | 'capture' | undefined;

/** From the thread: the GPU it would run on, ready, could not start, the end of a batch, or the end of the GPU. */
export type WorkerReply =
  | { readonly type: 'found'; readonly adapter: AdapterInfo | undefined }
  | {
      readonly type: 'ready';
      readonly times: WarmUpTimes;
      readonly capture: CaptureTrial | undefined;
    }
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
let capturing = false;
const reasonOf = (error: unknown): FailureReason => {
  if (capturing) return 'capture';
  if (error instanceof MissingFeatureError) return 'feature';
  return error instanceof ConfigError ? 'model' : undefined;
};

const failed = (error: unknown): WorkerReply => ({
  type: 'failed',
  message: text(error),
  reason: reasonOf(error),
});

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
  void gpu?.device.lost.then(({ reason, message }) => {
    const why = `the GPU device was lost (${reason}): ${message}`;
    reply(capturing ? failed(why) : { type: 'lost', message: why });
  });
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
  let [single, several] = [session, session];
  close = async () => {
    for (const each of new Set([single, several])) await each.release();
    gpu?.close();
  };
  run = (inputs) => soundly(() => (inputs.length === 1 ? single : several).run(inputs));
  const times = await warmUp(run, options);

  const { captureMode = 'off', batchSizes } = options;
  capturing = gpu !== undefined && worthTrying(captureMode, times.imageMs);
  let capture: CaptureTrial | undefined;
  if (capturing)
    await soundly(async () => {
      const replayed = await openSession({ ...options, batchSizes: [1], capture: true }, gpu);
      capture = await tryCapture(session, replayed, options, captureMode);
      if (capture.refused) return replayed.release();
      single = replayed;
      if (batchSizes?.some((size) => size > 1)) return;
      several = replayed;
      await session.release();
    });
  capturing = false;
  reply({ type: 'ready', times, capture });
} catch (error) {
  reply(failed(error));
}
