/** One decoding thread seen from outside: an image goes in, a tensor or an error comes out, whatever becomes of the thread. */
import type { Worker } from 'node:worker_threads';
import { OperatorError } from '../errors.ts';
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
  close(): Promise<void>;
}

export interface DecodeThreadOptions {
  spawn(): Worker;
  readonly budget: ByteBudget;
  /** Longest time that one image may take, in milliseconds. */
  readonly timeLimitMs: number;
}

export function startDecodeThread({
  spawn,
  budget,
  timeLimitMs,
}: DecodeThreadOptions): DecodeThread {
  const worker = spawn();
  const post = (message: ToWorker, transfer: ArrayBuffer[] = []): void =>
    worker.postMessage(message, transfer);
  let current: { promise: PromiseWithResolvers<PreparedImage>; signal: AbortSignal } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let giveBack: (() => void) | undefined;
  let lost = false;

  const restartTimer = (): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, timeLimitMs);
  };
  const finish = (settle: (promise: PromiseWithResolvers<PreparedImage>) => void): void => {
    clearTimeout(timer);
    const finished = current;
    current = undefined;
    if (finished) settle(finished.promise);
  };
  /** A thread within WebAssembly cannot be interrupted: it is left behind, and keeps its share of memory until it ends. */
  const giveUp = (): void => {
    lost = true;
    const seconds = timeLimitMs / 1000;
    finish(({ reject }) =>
      reject(new OperatorError('IMAGE_CORRUPT', `the image was not decoded within ${seconds} s`)),
    );
    void worker.terminate();
  };
  const crash = (cause: unknown): void => {
    lost = true;
    giveBack?.();
    finish(({ reject }) => reject(new OperatorError('INTERNAL', 'internal error', { cause })));
  };
  const grant = async (bytes: number): Promise<void> => {
    const asking = current;
    if (!asking) return;
    clearTimeout(timer); // waiting for others is not this image's fault
    try {
      giveBack = await budget.acquire(bytes, asking.signal);
      if (lost) return giveBack();
      restartTimer();
      post({ type: 'grant' });
    } catch {
      post({ type: 'refuse' });
    }
  };

  worker.on('error', crash);
  worker.on('exit', (code) => crash(new Error(`the decoding thread ended (${code})`)));
  worker.on('message', (message: FromWorker) => {
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
    prepare(image, signal) {
      const promise = Promise.withResolvers<PreparedImage>();
      current = { promise, signal };
      restartTimer();
      const owned = typeof image === 'object' && 'holds' in image;
      post({ type: 'prepare', image }, owned ? [image.bytes.buffer] : []);
      return promise.promise;
    },
    async close() {
      lost = true;
      finish(({ reject }) =>
        reject(new OperatorError('DRAINING', 'the operator is shutting down')),
      );
      await worker.terminate();
    },
  };
}
