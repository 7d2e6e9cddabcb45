/** One decoding thread seen from outside: an image goes in, a tensor or an error comes out, whatever becomes of the thread. */
import type { Worker } from 'node:worker_threads';
import { atMost } from '../at-most.ts';
import { OperatorError } from '../errors.ts';
import { createStallWatch } from '../stall-watch.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { EncodedImage, PreparedImage } from './pipeline.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

export interface DecodeThread {
  /**
   * One image at a time. Settles when the thread is free again: an image that nobody waits for any more is still decoded to
   * its end once that has begun.
   */
  prepare(image: EncodedImage, signal: AbortSignal): Promise<PreparedImage>;
  /** True when the thread has ended or was given up; it takes no more images then. */
  readonly lost: boolean;
  /** Settles when the thread has ended. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface DecodeThreadOptions {
  spawn(): Worker;
  readonly budget: ByteBudget;
  /** How long the thread may be with one image, in milliseconds; waiting for memory does not count. */
  readonly patienceMs: number;
  /** Told when the thread is given up because it does not come back. */
  hangs(error: Error): void;
}

/** How long `close` waits for a thread that may be within WebAssembly, in milliseconds. */
const endingMs = 1000;

export function startDecodeThread({
  spawn,
  budget,
  patienceMs,
  hangs,
}: DecodeThreadOptions): DecodeThread {
  const worker = spawn();
  const ended = Promise.withResolvers<void>();
  let current: { promise: PromiseWithResolvers<PreparedImage>; signal: AbortSignal } | undefined;
  /** Open while the thread owes an answer. */
  let answer: PromiseWithResolvers<void> | undefined;
  let giveBack: (() => void) | undefined;
  let lost = false;

  /**
   * A thread within WebAssembly cannot be interrupted: it is left behind, and takes a core until it ends. Its memory is given
   * back all the same: others would wait for it for ever.
   */
  const giveUp = (cause: Error): void => {
    lost = true;
    giveBack?.();
    const message = `the image was not decoded within ${patienceMs / 1000} s`;
    finish(({ reject }) => reject(new OperatorError('IMAGE_CORRUPT', message, { cause })));
    void worker.terminate();
    hangs(cause);
  };
  const watch = createStallWatch(patienceMs, giveUp);
  const send = (message: ToWorker, transfer: ArrayBuffer[] = []): void => {
    answer = Promise.withResolvers<void>();
    void watch(answer.promise);
    worker.postMessage(message, transfer);
  };
  const finish = (settle: (promise: PromiseWithResolvers<PreparedImage>) => void): void => {
    answer?.resolve();
    const finished = current;
    current = undefined;
    if (finished) settle(finished.promise);
  };
  const crash = (cause: unknown): void => {
    lost = true;
    giveBack?.();
    finish(({ reject }) => reject(new OperatorError('INTERNAL', 'internal error', { cause })));
  };
  const grant = async (bytes: number): Promise<void> => {
    const asking = current;
    if (!asking) return;
    try {
      giveBack = await budget.acquire(bytes, asking.signal);
    } catch {
      if (!lost) send({ type: 'refuse' });
      return;
    }
    if (lost) giveBack();
    else send({ type: 'grant' });
  };

  worker.on('error', crash);
  worker.on('exit', (code) => {
    crash(new Error(`the decoding thread ended (${code})`));
    ended.resolve();
  });
  worker.on('message', (message: FromWorker) => {
    answer?.resolve();
    if (message.type === 'ask') return void grant(message.bytes);
    giveBack?.();
    giveBack = undefined;
    finish(({ resolve, reject }) => {
      if (message.type === 'prepared') resolve(message.image);
      else {
        const { code, cause } = message;
        reject(new OperatorError(code, message.message, cause === undefined ? {} : { cause }));
      }
    });
  });

  return {
    get lost() {
      return lost;
    },
    ended: ended.promise,
    prepare(image, signal) {
      const promise = Promise.withResolvers<PreparedImage>();
      current = { promise, signal };
      const owned = typeof image === 'object' && 'holds' in image;
      send({ type: 'prepare', image }, owned ? [image.bytes.buffer] : []);
      return promise.promise;
    },
    async close() {
      lost = true;
      finish(({ reject }) =>
        reject(new OperatorError('DRAINING', 'the operator is shutting down')),
      );
      await atMost(endingMs, worker.terminate());
    },
  };
}
