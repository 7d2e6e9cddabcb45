/** The thread onnxruntime lives on: batches are handed over in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError } from '../../errors.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import type { WarmUpTimes } from '../engine-patience.ts';
import {
  type AdapterChoice,
  MissingFeatureError,
  type OpenDevice,
  openDevice,
} from '../webgpu/adapter.ts';
import type { CaptureTrial } from './graph-capture.ts';
import type { Rows } from './session.ts';
import {
  openSessions,
  type Progress,
  type Sessions,
  type SessionsOptions,
  soundly,
} from './sessions.ts';
import { imagesOf, type SharedBatch } from './shared-batches.ts';

/** What the thread is started with; with `gpu` it runs on WebGPU, else on WASM. */
export interface WorkerOptions extends SessionsOptions {
  readonly gpu?: AdapterChoice | undefined;
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
asked.promise.catch(() => {});
const progress: Progress = { capturing: false };
const failed = (error: unknown): WorkerReply => ({
  type: 'failed',
  message: text(error),
  reason: reasonOf(error),
});
function reasonOf(error: unknown): FailureReason {
  if (progress.capturing) return 'capture';
  if (error instanceof MissingFeatureError) return 'feature';
  return error instanceof ConfigError ? 'model' : undefined;
}

let gpu: OpenDevice | undefined;
let sessions: Sessions | undefined;
/** Settles when the last batch has been handed over, so that they are in the order in which they came. */
let issued: Promise<unknown> = Promise.resolve();
/** Settles when every batch has been answered. */
let answered: Promise<unknown> = Promise.resolve();

port.on('message', (request: WorkerRequest) => {
  if (request.type === 'open') asked.resolve();
  else if (request.type === 'close') {
    asked.reject(new Error('closed before it was opened'));
    void started
      .then(() => answered)
      .then(close)
      .finally(() => port.close());
  } else {
    const issuing = issued.then(() => sessions!.issue(imagesOf(request, options.shape)));
    issued = issuing.catch(() => {});
    const answering = answer(request.id, issuing);
    answered = answered.then(() => answering);
  }
});

async function answer(id: number, issuing: Promise<{ readonly rows: Rows }>): Promise<void> {
  try {
    reply({ type: 'rows', id, rows: await soundly(gpu, async () => (await issuing).rows) });
  } catch (error) {
    reply({ type: 'error', id, message: text(error) });
  }
}

async function close(): Promise<void> {
  await sessions?.release();
  gpu?.close();
}

async function start(): Promise<void> {
  gpu = options.gpu && (await openDevice(options.gpu));
  void gpu?.device.lost.then(({ reason, message }) => {
    const why = `the GPU device was lost (${reason}): ${message}`;
    reply(progress.capturing ? failed(why) : { type: 'lost', message: why });
  });
  reply({ type: 'found', adapter: gpu?.info });
  await asked.promise;
  sessions = await openSessions(options, gpu, progress);
  const { times, capture } = sessions;
  reply({ type: 'ready', times, capture });
}
/** Settles when there is nothing more to come of opening: Dawn must owe no answer when the thread ends. */
const started = start().catch((error: unknown) => reply(failed(error)));
