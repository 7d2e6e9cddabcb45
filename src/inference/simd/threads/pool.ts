/**
 * Shares images out to threads, on the thread that answers the network; it never waits. When images wait, each gets an
 * equal share of the idle threads, at least one: one image on all cores of an idle machine, one image per core of a busy
 * one. A thread that would be idle joins an image that is already running.
 */
import type { FromThread, ToThread } from './messages.ts';

/** A computing thread, as the pool sees it. */
export interface PoolThread {
  send(message: ToThread): void;
}

/** The contexts: one per thread, since every working thread holds exactly one. */
export interface Contexts {
  /** Puts an image into a context that no thread works in. */
  begin(context: number, image: Float32Array): void;
  /** Copies the result out. */
  finish(context: number): Float32Array;
}

export interface Pool {
  run(image: Float32Array): Promise<Float32Array>;
  /** A thread has left an image. */
  left(thread: number, message: FromThread & { type: 'left' }): void;
  /** Rejects all that is waiting or running, now and later. */
  fail(error: Error): void;
}

interface Job {
  readonly image: Float32Array;
  resolve(row: Float32Array): void;
  reject(error: Error): void;
}

interface Running {
  readonly job: Job;
  /** Threads that work on it. */
  threads: number;
  finished: boolean;
}

export function createPool(threads: readonly PoolThread[], contexts: Contexts): Pool {
  const waiting: Job[] = [];
  const running = new Map<number, Running>();
  const idle = new Set(threads.keys());
  const free = new Set(threads.keys());
  let failure: Error | undefined;

  const send = (thread: number, context: number, image: Running): void => {
    idle.delete(thread);
    image.threads++;
    threads[thread]!.send({ type: 'join', context });
  };

  function assign(): void {
    while (waiting.length > 0 && idle.size > 0) {
      const share = Math.floor(idle.size / Math.min(waiting.length, idle.size));
      const [context] = free;
      if (context === undefined) throw new Error('a working thread holds more than one context');
      const image: Running = { job: waiting.shift()!, threads: 0, finished: false };
      free.delete(context);
      running.set(context, image);
      contexts.begin(context, image.job.image);
      for (const thread of [...idle].slice(0, share)) send(thread, context, image);
    }
    for (const thread of idle) {
      const [loneliest] = [...running]
        .filter(([, image]) => !image.finished)
        .sort(([, a], [, b]) => a.threads - b.threads);
      if (loneliest) send(thread, ...loneliest);
    }
  }

  return {
    run(image) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ image, resolve, reject });
        assign();
      });
    },
    left(thread, { context }) {
      const image = running.get(context);
      if (failure || !image) return;
      idle.add(thread);
      image.threads--;
      // The threads leave after the last step, so the first to leave brings the result.
      if (!image.finished) {
        image.finished = true;
        image.job.resolve(contexts.finish(context));
      }
      if (image.threads === 0) {
        running.delete(context);
        free.add(context);
      }
      assign();
    },
    fail(error) {
      failure ??= error;
      for (const { job, finished } of running.values()) if (!finished) job.reject(error);
      for (const job of waiting) job.reject(error);
      running.clear();
      waiting.length = 0;
    },
  };
}
