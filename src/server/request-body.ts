/** The body of a request as it comes, watched for clients that send it so that others suffer. */
import { OperatorError } from '../errors.ts';
import type { CallRecord } from './call-record.ts';
import { toConnectError } from './connect-error.ts';
import { untilAborted } from './deadline.ts';

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Counts the bytes. */
  readonly record: CallRecord;
  /** Longest pause, milliseconds; undefined for streams, which are silent as long as they like. */
  readonly stallTimeout: number | undefined;
}

/** Every piece costs as much work as a kilobyte or two: so many are taken whatever their size … */
const manyPieces = 4096;
/** … and more only while they have so many bytes on average. A packet on the internet has at least 536 (RFC 1122). */
const leastAverage = 256;

/** @throws ConnectError when the call is over, when the body pauses for too long, when it comes in too small pieces */
export async function* watchBody(
  body: AsyncIterable<Uint8Array>,
  { signal, record, stallTimeout }: WatchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stalled = new AbortController();
  const stop = (): void => stalled.abort(tooSlow(stallTimeout ?? 0));
  const timer = stallTimeout === undefined ? undefined : setTimeout(stop, stallTimeout);
  const either = AbortSignal.any([signal, stalled.signal]);
  const chunks = body[Symbol.asyncIterator]();
  let pieces = 0;
  try {
    for (;;) {
      const next = await untilAborted(chunks.next(), either);
      timer?.refresh();
      if (next.done) return;
      pieces += 1;
      record.bytes += next.value.byteLength;
      if (pieces > manyPieces && record.bytes < pieces * leastAverage)
        throw new OperatorError('REQUEST_MALFORMED', 'the request comes in too small pieces');
      yield next.value;
    }
  } catch (thrown) {
    throw toConnectError(thrown, { record, signal });
  } finally {
    clearTimeout(timer);
  }
}

const tooSlow = (ms: number): OperatorError =>
  new OperatorError('DEADLINE', `the request paused for ${ms / 1000} s (--stall-timeout)`);
