/** What is known of one call; one log line is made of it when its connection is done with it. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createContextKey } from '@connectrpc/connect';
import type { StageTimings } from '../embedder/embedder.ts';
import { formatHostPort } from '../endpoint.ts';
import type { Log } from '../log.ts';
import type { NodeRequest, RpcHandler } from './http-types.ts';

export type Protocol = 'grpc' | 'grpc-web' | 'grpc-web-text' | 'connect';

export interface CallRecord {
  readonly requestId: string;
  readonly service: string;
  readonly method: string;
  readonly protocol: Protocol;
  readonly http: string;
  readonly peer: string;
  readonly begun: number;
  /** `ok`, or the name of a gRPC status in lower case. */
  code: string;
  /** The operator's own code, such as IMAGE_TRUNCATED. */
  error?: string;
  /** What the client was told. */
  message?: string;
  /** Never goes on the wire. */
  cause?: unknown;
  images?: number;
  /** Bytes of the request's and the reply's body, as they went over the wire. */
  bytes: number;
  replyBytes: number;
  modelId?: string;
  timings?: StageTimings;
}

/** Hands the record to the service behind Connect's router. */
export const callRecordKey = createContextKey<CallRecord | undefined>(undefined, {
  description: 'call record',
});

/** Of a call that has come. */
export function createCallRecord(
  { service, method }: RpcHandler,
  { headers, httpVersion, socket }: NodeRequest,
): CallRecord {
  return {
    requestId: requestIdOf(headers),
    service: service.typeName,
    method: method.name,
    protocol: protocolOf(headers['content-type'] ?? ''),
    http: httpVersion,
    peer: formatHostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0),
    begun: performance.now(),
    // Until there is a reply, whatever ends the call is that the client has gone.
    code: 'canceled',
    bytes: 0,
    replyBytes: 0,
  };
}

/** Any of the three that are gRPC's: a message has a prefix, an error is in trailers. */
export const isGrpc = (contentType: string | undefined): boolean =>
  /^application\/grpc\b/i.test(contentType ?? '');

function protocolOf(contentType: string): Protocol {
  if (/^application\/grpc-web-text\b/i.test(contentType)) return 'grpc-web-text';
  if (/^application\/grpc-web\b/i.test(contentType)) return 'grpc-web';
  return isGrpc(contentType) ? 'grpc' : 'connect';
}

/** The client's `x-request-id` where it is a plausible one, so that its log and ours can be joined. */
function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();
}

const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

/** Writes the line: the operator's calls at info, probes (health, reflection) at debug, our own failures at error. */
export function logCall(log: Log, record: CallRecord): void {
  const { begun, cause, timings, ...fields } = record;
  const own = record.code === 'internal';
  const line = {
    ...fields,
    ms: rounded(performance.now() - begun),
    ...(timings && Object.fromEntries(Object.entries(timings).map(([k, ms]) => [k, rounded(ms)]))),
    // Where it happened matters where we are to blame; of a client's mistake, what was found, such as an address.
    ...(cause !== undefined && (own ? { err: cause } : { reason: messageOf(cause) })),
  };
  if (own) log.error(line, 'call');
  else if (record.service.startsWith('grpc.')) log.debug(line, 'call');
  else log.info(line, 'call');
}
