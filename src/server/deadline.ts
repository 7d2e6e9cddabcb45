/** Time limits as abort signals. */
import { OperatorError } from '../errors.ts';

export interface Deadline {
  /** Fires when one of the sources does, or when the time is over (its reason is OperatorError DEADLINE then). */
  readonly signal: AbortSignal;
  /** Gives the timer back; to be called when the work is done. */
  clear(): void;
}

export function createDeadline(ms: number, ...sources: readonly AbortSignal[]): Deadline {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `the call took longer than ${ms / 1000} s (--request-timeout)`;
    late.abort(new OperatorError('DEADLINE', message));
  }, ms);
  return {
    signal: AbortSignal.any([...sources, late.signal]),
    clear: () => clearTimeout(timer),
  };
}

/** The promise's outcome, or the signal's reason as soon as it fires, whichever comes first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: abort, reject } = Promise.withResolvers<never>();
  const fire = (): void => reject(signal.reason);
  if (signal.aborted) fire();
  else signal.addEventListener('abort', fire, { once: true });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener('abort', fire);
  }
}
