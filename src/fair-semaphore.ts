import { abortError } from './errors.ts';

export interface FairSemaphore {
  /**
   * Waits for a slot; the returned function gives it back (calling it again does nothing).
   *
   * @param group - what is served in turn: a group with 200 waiting does not keep another's first from the next slot
   * @throws OperatorError CANCELLED or DEADLINE when `signal` fires while it waits
   */
  acquire(group: object, signal: AbortSignal): Promise<() => void>;
  /** Callers waiting for a slot. */
  readonly waiting: number;
}

/** `slots` holders at a time; those who wait are served round robin by group, first come first served within one. */
export function createFairSemaphore(slots: number): FairSemaphore {
  let free = slots;
  /** Insertion order is the order of turns. */
  const queues = new Map<object, Set<() => void>>();

  function passOn(): void {
    for (const [group, queue] of queues) {
      queues.delete(group);
      for (const grant of queue) {
        queue.delete(grant);
        if (queue.size > 0) queues.set(group, queue);
        grant();
        return;
      }
    }
    free += 1;
  }

  function holdSlot(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      passOn();
    };
  }

  function wait(group: object, signal: AbortSignal): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const queue = queues.get(group) ?? new Set();
    queues.set(group, queue);
    const onAbort = () => {
      queue.delete(grant);
      if (queue.size === 0 && queues.get(group) === queue) queues.delete(group);
      reject(abortError(signal));
    };
    const grant = () => {
      signal.removeEventListener('abort', onAbort);
      resolve(holdSlot());
    };
    queue.add(grant);
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  return {
    async acquire(group, signal) {
      if (signal.aborted) throw abortError(signal);
      if (free === 0) return wait(group, signal);
      free -= 1;
      return holdSlot();
    },
    get waiting() {
      let count = 0;
      for (const queue of queues.values()) count += queue.size;
      return count;
    },
  };
}
