/** What was to be replaced is gone, and what was to take its place did not come about: the old one has to come back. */
import { PhantoscopeError, reason } from './failure.ts';

/** A replacement failed; the message ends with what has become of the old record. */
export class ReplacementError extends PhantoscopeError {}

/**
 * @param putBack - gives a sentence about what it did
 * @returns what to throw instead of `thrown`
 */
export async function afterPuttingBack(
  thrown: unknown,
  signal: AbortSignal,
  putBack: () => Promise<string>,
): Promise<unknown> {
  const said = await putBack();
  if (thrown instanceof PhantoscopeError) {
    return new ReplacementError(thrown.kind, sentences(thrown.message, said), thrown);
  }
  return signal.aborted
    ? new ReplacementError('interrupted', sentences(reason(thrown), said), thrown)
    : thrown;
}

/** Not every sentence is without its end. */
export const sentences = (one: string, other: string): string =>
  `${one}${/[.?!]$/.test(one) ? '' : '.'} ${other}`;
