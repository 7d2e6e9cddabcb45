/** How long a call may take: our limit, and its client's. */
import { parseTimeout as parseConnectTimeout } from '@connectrpc/connect/protocol-connect';
import { parseTimeout as parseGrpcTimeout } from '@connectrpc/connect/protocol-grpc';
import { OperatorError } from '../../errors.ts';

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

/** Milliseconds that a timer can wait; one that shall wait longer fires at once. */
const longestTimer = 2 ** 31 - 1;

const timeouts = [
  { name: 'grpc-timeout', parse: parseGrpcTimeout },
  { name: 'connect-timeout-ms', parse: parseConnectTimeout },
];

/**
 * Leaves out a client's deadline that is more than 24 days away: some say “for ever” so, and Connect would set a timer.
 * @param header - the request's; changed in place
 */
export function dropFarDeadlines(header: Headers): void {
  for (const { name, parse } of timeouts) {
    const { timeoutMs = 0 } = parse(header.get(name), Number.POSITIVE_INFINITY);
    if (timeoutMs > longestTimer) header.delete(name);
  }
}
