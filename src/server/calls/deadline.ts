/** How long a call may take: our limit, and its client's. */
import { parseTimeout as parseConnectTimeout } from '@connectrpc/connect/protocol-connect';
import { parseTimeout as parseGrpcTimeout } from '@connectrpc/connect/protocol-grpc';
import { OperatorError } from '../../errors.ts';
import type { Protocol } from '../call-record.ts';

export interface Deadline {
  /** Fires when one of the sources does, or when the time is over (its reason is OperatorError DEADLINE then). */
  readonly signal: AbortSignal;
  /** Gives the timer back; to be called when the work is done. */
  clear(): void;
}

/** In milliseconds; without any there is no end. */
export interface TimeLimits {
  readonly requestTimeout?: number | undefined;
  /** What the client gives it. */
  readonly clientTimeout?: number | undefined;
}

export function createDeadline(
  {
    requestTimeout = Number.POSITIVE_INFINITY,
    clientTimeout = Number.POSITIVE_INFINITY,
  }: TimeLimits,
  ...sources: readonly AbortSignal[]
): Deadline {
  const ms = Math.min(requestTimeout, clientTimeout);
  if (ms === Number.POSITIVE_INFINITY)
    return { signal: AbortSignal.any([...sources]), clear: () => {} };
  const message =
    clientTimeout < requestTimeout
      ? `the client's deadline, ${ms / 1000} s, has passed`
      : `the call took longer than ${ms / 1000} s (--request-timeout)`;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new OperatorError('DEADLINE', message)), ms);
  return {
    signal: AbortSignal.any([...sources, late.signal]),
    clear: () => clearTimeout(timer),
  };
}

/** Milliseconds that a timer can wait; one that shall wait longer fires at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Takes the client's deadline out of the header: Connect would count it from when the message is there, and this holds for the
 * body as well. One that cannot be read stays, for Connect to refuse.
 * @param header - the request's; changed in place
 * @returns milliseconds; undefined as well for one that is more than 24 days away: some say “for ever” so
 */
export function takeClientTimeout(header: Headers, protocol: Protocol): number | undefined {
  const [name, parse] =
    protocol === 'connect'
      ? (['connect-timeout-ms', parseConnectTimeout] as const)
      : (['grpc-timeout', parseGrpcTimeout] as const);
  const { timeoutMs, error } = parse(header.get(name), Number.POSITIVE_INFINITY);
  if (timeoutMs === undefined || error) return undefined;
  header.delete(name);
  return timeoutMs > longestTimer ? undefined : timeoutMs;
}
