/**
 * Tells when a thread does not come back from an image. Each is watched by itself: the others may finish the image without
 * it, and go on with fewer cores for ever.
 */
import { createStallWatch, type StallWatch } from '../../../stall-watch.ts';
import type { PoolThread } from './pool.ts';

export interface WatchedThreads {
  readonly all: readonly PoolThread[];
  left(thread: number): void;
  /** Begins to watch. @param patienceMs - how long a thread may be with one image */
  watch(patienceMs: number): void;
  /** Nobody is waited for any longer. */
  stop(): void;
}

/** @param hangs - told of every thread that does not come back */
export function watchThreads(
  threads: readonly PoolThread[],
  hangs: (error: Error) => void,
): WatchedThreads {
  let watches: readonly StallWatch[] = [];
  const joined = new Map<number, () => void>();
  return {
    all: threads.map((thread, index) => ({
      send(message) {
        const { promise, resolve } = Promise.withResolvers<void>();
        joined.set(index, resolve);
        void watches[index]?.(promise);
        thread.send(message);
      },
    })),
    left: (thread) => joined.get(thread)?.(),
    watch(patienceMs) {
      watches = threads.map(() => createStallWatch(patienceMs, hangs));
    },
    stop() {
      for (const leave of joined.values()) leave();
      watches = [];
    },
  };
}
