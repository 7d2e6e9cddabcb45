import { abortError, type OperatorError } from '../../errors.ts';

/**
 * Runs `work` with a signal that fires when `parent` does or after `ms` milliseconds, and settles at once then, whether or
 * not `work` listens (a look-up in the system's resolver cannot be stopped, only left behind).
 *
 * @throws what `work` throws; `late()` when the time is up; CANCELLED or DEADLINE when `parent` fired
 */
export async function withTimeLimit<T>(
  parent: AbortSignal,
  ms: number,
  late: () => OperatorError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (parent.aborted) throw abortError(parent);
  const controller = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (error: OperatorError) => {
    controller.abort(error);
    reject(error);
  };
  const onParentAbort = () => stop(abortError(parent));
  parent.addEventListener('abort', onParentAbort, { once: true });
  const timer = setTimeout(() => stop(late()), ms);
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', onParentAbort);
  }
}

/** 5000 → "5 s", 250 → "250 ms". */
export const spell = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`);
