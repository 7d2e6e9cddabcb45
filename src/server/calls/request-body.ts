/** The body of a request as it comes, watched for clients that send it so that others suffer. */
import { OperatorError } from '../../errors.ts';
import type { CallRecord } from '../call-record.ts';
import type { Place } from '../limits/places.ts';
import { untilAborted } from '../limits/until-aborted.ts';

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Counts the bytes. */
  readonly record: CallRecord;
  /** Milliseconds; undefined for streams, which are silent as long as they like. */
  readonly stallTimeout: number | undefined;
  readonly place: Pick<Place, 'clientsTurn' | 'ourTurn'>;
}

/** What has to come within each `stallTimeout`, or all of it: to the slowest telephone nothing, and a byte now and then is no progress. */
const leastProgress = 16 * 1024;

/** Every piece costs as much work as a kilobyte or two: so many are taken whatever their size … */
const manyPieces = 4096;
/** … and more only while they have so many bytes on average. A packet on the internet has at least 536 (RFC 1122). */
const leastAverage = 256;

/** @throws the signal's reason; OperatorError DEADLINE when too little comes, REQUEST_MALFORMED when it comes in too small pieces */
export async function* watchBody(
  body: AsyncIterable<Uint8Array>,
  { signal, record, stallTimeout, place }: WatchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stalled = new AbortController();
  const stop = (): void => stalled.abort(tooSlow(stallTimeout ?? 0));
  const timer = stallTimeout === undefined ? undefined : setTimeout(stop, stallTimeout);
  const either = AbortSignal.any([signal, stalled.signal]);
  const chunks = body[Symbol.asyncIterator]();
  let pieces = 0;
  let mark = 0;
  try {
    for (;;) {
      const next = await untilAborted(chunks.next(), either);
      if (next.done) return place.ourTurn();
      pieces += 1;
      record.bytes += next.value.byteLength;
      if (record.bytes - mark >= leastProgress) {
        mark = record.bytes;
        timer?.refresh();
        place.clientsTurn();
      }
      if (pieces > manyPieces && record.bytes < pieces * leastAverage)
        throw new OperatorError('REQUEST_MALFORMED', 'the request comes in too small pieces');
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
  }
}

const tooSlow = (ms: number): OperatorError =>
  new OperatorError(
    'DEADLINE',
    `less than ${leastProgress / 1024} KiB of the request came within ${ms / 1000} s (--stall-timeout)`,
  );
