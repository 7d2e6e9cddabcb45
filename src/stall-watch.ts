/**
 * Tells when something hangs: a driver that never answers, a thread that never comes back. Nothing of that fails by itself,
 * and every call behind it would wait until its own deadline.
 */

/** Its end is that of `work`, whatever the watch finds. */
export type StallWatch = <T>(work: Promise<T>) => Promise<T>;

/**
 * Time is counted by a timer that looks so often: while the whole process is stopped (a paused container, a machine asleep)
 * it does not pass.
 */
const looks = 20;

/**
 * @param patienceMs - how long nothing may end while there is something to wait for
 * @param stalled - told once; it is to end what was being waited for
 */
export function createStallWatch(patienceMs: number, stalled: (error: Error) => void): StallWatch {
  let running = 0;
  let looked = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const look = (): void => {
    looked++;
    if (looked < looks) return;
    clearInterval(timer);
    const seconds = (patienceMs / 1000).toFixed(patienceMs < 10_000 ? 1 : 0);
    stalled(new Error(`it hangs: nothing has come back for ${seconds} s`));
  };
  return async (work) => {
    if (running === 0) timer = setInterval(look, patienceMs / looks);
    if (running === 0) looked = 0;
    running++;
    try {
      return await work;
    } finally {
      looked = 0;
      running--;
      if (running === 0) clearInterval(timer);
    }
  };
}
