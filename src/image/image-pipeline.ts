/** The decoding threads and the queue before them. */
import type { Worker } from 'node:worker_threads';
import { atMost } from '../at-most.ts';
import { OperatorError } from '../errors.ts';
import { startWorker } from '../threads.ts';
import { createByteBudget } from './byte-budget.ts';
import { type DecodeThread, startDecodeThread } from './decode-thread.ts';
import { checkBytes, defaultMaxDecodedBytes } from './limits.ts';
import type {
  EncodedImage,
  ImagePipeline,
  ImagePipelineOptions,
  PreparedImage,
} from './pipeline.ts';
import type { WorkerSettings } from './worker-messages.ts';

/** 100 megapixels of progressive JPEG take a few seconds; this allows for a machine that is slow and busy. */
const defaultPatienceMs = 60_000;

/** How long a thread that was given up has to end, in milliseconds: one that is within WebAssembly does not. */
const endingMs = 1000;

/** What tests put in the place of a real thread. */
export interface PipelineSeams {
  spawn?(): Worker;
  patienceMs?: number;
}

interface Job {
  readonly image: EncodedImage;
  readonly signal: AbortSignal;
  readonly promise: PromiseWithResolvers<PreparedImage>;
}

/**
 * Memory is bounded in two steps. The number of threads bounds how many images are worked on; how much each takes is known
 * only when its header is read, which for base64 means in the thread. So the thread reads the header, asks for that much of
 * a common budget, and waits until it is granted; a thread that holds a grant needs nothing else, so none can wait for ever.
 * @throws RangeError when the rules cannot be applied
 */
export function createImagePipeline(
  options: ImagePipelineOptions,
  seams: PipelineSeams = {},
): ImagePipeline {
  checkRules(options);
  const { rules, layout, limits, tell = () => {} } = options;
  const { maxImageBytes, maxImagePixels, maxDecodedBytes = defaultMaxDecodedBytes } = limits;
  const settings: WorkerSettings = {
    rules,
    layout,
    limits: { maxImageBytes, maxImagePixels, maxDecodedBytes },
  };
  const spawn = seams.spawn ?? (() => startWorker('image/decode-worker', settings));
  const budget = createByteBudget(maxDecodedBytes);
  const patienceMs = seams.patienceMs ?? defaultPatienceMs;
  const lost = Promise.withResolvers<Error>();
  const threads = new Set<DecodeThread>();
  /** Given up, and still running. */
  const leftBehind = new Set<DecodeThread>();
  const idle: DecodeThread[] = [];
  // A set keeps the order of arrival, and lets an aborted job go from the middle.
  const queue = new Set<Job>();
  let closed = false;

  const start = (): DecodeThread => {
    const hangs = ({ message }: Error): void => {
      tell(`a decoding thread was given up: ${message}; another one takes its place`, 'warn');
      void leaveBehind(thread);
    };
    const thread = startDecodeThread({ spawn, budget, patienceMs, hangs });
    threads.add(thread);
    return thread;
  };
  /** As many as there may be threads have taken every core that decoding has: only a new process gets them back. */
  const leaveBehind = async (thread: DecodeThread): Promise<void> => {
    leftBehind.add(thread);
    void thread.ended.then(() => leftBehind.delete(thread));
    await atMost(endingMs, thread.ended);
    if (leftBehind.size >= options.threads)
      lost.resolve(new Error(`${leftBehind.size} decoding threads hang and cannot be ended`));
  };
  const freeThread = (): DecodeThread | undefined => {
    for (let thread = idle.pop(); thread; thread = idle.pop()) {
      if (!thread.lost) return thread;
      threads.delete(thread);
    }
    return threads.size < options.threads ? start() : undefined;
  };
  const run = async (thread: DecodeThread, job: Job): Promise<void> => {
    try {
      job.promise.resolve(await thread.prepare(job.image, job.signal));
    } catch (error) {
      job.promise.reject(error);
    }
    if (thread.lost) threads.delete(thread);
    else idle.push(thread);
    dispatch();
  };
  const dispatch = (): void => {
    for (const job of queue) {
      const thread = closed ? undefined : freeThread();
      if (!thread) return;
      queue.delete(job);
      void run(thread, job);
    }
  };

  // One thread is ready for the first image; the others start when there is something for them to do.
  idle.push(start());

  return {
    async prepare(image, signal) {
      if (closed) throw draining();
      // Before the bytes are copied to a thread; base64 is measured there, once decoded.
      if (image instanceof Uint8Array) checkBytes(image.length, limits);
      const promise = Promise.withResolvers<PreparedImage>();
      const job: Job = { image, signal, promise };
      const abort = (): void => {
        queue.delete(job);
        promise.reject(
          new OperatorError('CANCELLED', 'the client gave up', { cause: signal.reason }),
        );
      };
      if (signal.aborted) abort();
      else {
        signal.addEventListener('abort', abort, { once: true });
        queue.add(job);
        dispatch();
      }
      try {
        return await promise.promise;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async close() {
      closed = true;
      for (const { promise } of queue) promise.reject(draining());
      queue.clear();
      await Promise.all([...threads].map((thread) => thread.close()));
    },
    lost: lost.promise,
  };
}

const draining = (): OperatorError =>
  new OperatorError('DRAINING', 'the operator is shutting down');

function checkRules({ rules: { resize, crop }, threads }: ImagePipelineOptions): void {
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`${threads} decoding threads`);
  const size = resize.mode === 'stretch' ? resize : { width: resize.size, height: resize.size };
  if (resize.mode === 'shorter-side' && !crop)
    throw new RangeError('resizing by the shorter side needs a crop, or sizes would differ');
  if (crop && (crop.width > size.width || crop.height > size.height))
    throw new RangeError(
      `the crop of ${crop.width}×${crop.height} is larger than the resized image`,
    );
}
