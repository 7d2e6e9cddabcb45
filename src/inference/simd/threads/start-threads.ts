import type { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './messages.ts';
import type { PoolThread } from './pool.ts';

export interface Threads {
  readonly all: readonly PoolThread[];
  /** Sends `message` to all and settles when all have opened. @throws Error when one cannot */
  open(message: ToThread & { type: 'open' }): Promise<void>;
  /** Settles with the reason when a thread has died. */
  readonly lost: Promise<Error>;
  onLeft(listener: (thread: number, message: FromThread & { type: 'left' }) => void): void;
  close(): Promise<void>;
}

/** Starts `count` computing threads; they load their code while the caller goes on. */
export function startThreads(count: number, start: (index: number) => Worker): Threads {
  const workers = Array.from({ length: count }, (_, index) => start(index));
  const lost = Promise.withResolvers<Error>();
  let left: (thread: number, message: FromThread & { type: 'left' }) => void = () => {};
  let closing = false;

  const opened = workers.map((worker, index) => {
    const ready = Promise.withResolvers<void>();
    const die = (error: Error): void => {
      if (closing) return;
      ready.reject(error);
      lost.resolve(error);
    };
    worker.on('error', (error) => die(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => die(new Error(`computing thread ${index} ended (${code})`)));
    worker.on('message', (message: FromThread) => {
      if (message.type === 'opened') ready.resolve();
      else if (message.type === 'failed') ready.reject(new Error(message.message));
      else left(index, message);
    });
    // Awaited in `open`, which may come after a death.
    ready.promise.catch(() => {});
    return ready.promise;
  });

  return {
    all: workers.map((worker) => ({ send: (message) => worker.postMessage(message) })),
    async open(message) {
      for (const worker of workers) worker.postMessage(message);
      await Promise.all(opened);
    },
    lost: lost.promise,
    onLeft(listener) {
      left = listener;
    },
    async close() {
      closing = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
