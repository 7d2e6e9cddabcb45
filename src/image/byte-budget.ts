/** A semaphore that counts bytes: how much memory all decoding together may take. */

export interface ByteBudget {
  /**
   * Settles, first come first served, when `bytes` of the budget are free; the result gives them back. Asking for more than
   * the whole budget is asking for all of it: such an image is decoded alone rather than never.
   * @throws the signal's reason when it fires first
   */
  acquire(bytes: number, signal: AbortSignal): Promise<() => void>;
}

interface Waiter {
  readonly bytes: number;
  proceed(): void;
}

export function createByteBudget(total: number): ByteBudget {
  let free = total;
  const waiters = new Set<Waiter>();

  const admit = (): void => {
    for (const waiter of waiters) {
      // Those behind it wait too, even if they would fit: otherwise a large image could wait for ever.
      if (waiter.bytes > free) return;
      waiters.delete(waiter);
      free -= waiter.bytes;
      waiter.proceed();
    }
  };

  return {
    acquire(wanted, signal) {
      const bytes = Math.min(wanted, total);
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          waiters.delete(waiter);
          reject(signal.reason);
          admit();
        };
        let held = true;
        const release = (): void => {
          if (!held) return;
          held = false;
          free += bytes;
          admit();
        };
        const waiter: Waiter = {
          bytes,
          proceed() {
            signal.removeEventListener('abort', abort);
            resolve(release);
          },
        };
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        waiters.add(waiter);
        admit();
      });
    },
  };
}
