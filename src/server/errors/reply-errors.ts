/** Finds the error in a finished reply, whatever protocol it is in, for the log, and puts it in our own terms. */
import { Code, ConnectError } from '@connectrpc/connect';
import { encodeEnvelope, readAllBytes } from '@connectrpc/connect/protocol';
import {
  codeToHttpStatus,
  errorFromJsonBytes,
  errorToJsonBytes,
} from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { trailerFlag, trailerParse, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';
import type { CallRecord } from '../call-record.ts';
import type { UniversalReply } from '../http-types.ts';
import { correct } from './correct-error.ts';
import { setGrpcStatus } from './grpc-status.ts';

/** Notes the outcome in the record. @returns the reply to send */
export async function settleReply(
  reply: UniversalReply,
  record: CallRecord,
): Promise<UniversalReply> {
  if (record.protocol === 'grpc') return settleGrpc(reply, record);
  return record.protocol === 'connect'
    ? settleConnect(reply, record)
    : settleGrpcWeb(reply, record);
}

/** The body of a failed unary call is empty and its trailers are complete by the time the reply is there. */
function settleGrpc(reply: UniversalReply, record: CallRecord): UniversalReply {
  const error = reply.trailer && findTrailerError(reply.trailer);
  if (!reply.trailer || !error) return plain(reply, record);
  setGrpcStatus(reply.trailer, correct(error, record));
  return reply;
}

/** Trailers are a frame of the body; in a failed unary call they are the first and only one. */
async function settleGrpcWeb(reply: UniversalReply, record: CallRecord): Promise<UniversalReply> {
  const body = reply.body?.[Symbol.asyncIterator]();
  const first = await body?.next();
  if (!body || !first || first.done) return plain(reply, record);
  const chunk = first.value;
  const error =
    chunk[0] === trailerFlag ? findTrailerError(trailerParse(chunk.subarray(5))) : undefined;
  if (!error) return plain({ ...reply, body: prepend(chunk, body) }, record);
  const trailers = setGrpcStatus(new Headers(), correct(error, record));
  const frame = encodeEnvelope(trailerFlag, trailerSerialize(trailers));
  return { ...reply, body: prepend(frame, body) };
}

/** A failed unary call has an HTTP status and a small JSON body. */
async function settleConnect(reply: UniversalReply, record: CallRecord): Promise<UniversalReply> {
  const header = reply.header;
  const json = header?.get('content-type') === 'application/json';
  if (reply.status === 200 || !json || !reply.body || header.has('content-encoding'))
    return plain(reply, record);
  const body = await readAllBytes(reply.body, Number.MAX_SAFE_INTEGER);
  const error = errorFromJsonBytes(body, undefined, new ConnectError('', Code.Unknown));
  const corrected = correct(error, record);
  const bytes = errorToJsonBytes(corrected, undefined);
  header.set('content-length', String(bytes.byteLength));
  return { ...reply, status: codeToHttpStatus(corrected.code), body: single(bytes) };
}

/** A reply without an error of the protocol; the HTTP status may still be one, which Connect leaves without a word. */
function plain(reply: UniversalReply, record: CallRecord): UniversalReply {
  // A stream that failed before its first message has said so already.
  if (record.message === undefined)
    record.code = reply.status === 200 ? 'ok' : `http ${reply.status}`;
  const sentence = reply.body ? undefined : sentences[reply.status];
  if (sentence === undefined) return reply;
  record.message = sentence;
  const header = new Headers(reply.header);
  header.set('content-type', 'application/json');
  if (reply.status === 405) header.set('allow', 'POST');
  const body = Buffer.from(`${JSON.stringify({ error: sentence })}\n`);
  header.set('content-length', String(body.byteLength));
  return { ...reply, header, body: single(body) };
}

const sentences: Readonly<Record<number, string>> = {
  405: 'a call is made with POST',
  415: 'the content type has to be application/json, application/proto, application/grpc-web, application/grpc-web-text or, over HTTP/2, application/grpc',
  505: 'a call that streams in both directions needs HTTP/2',
};

async function* single(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield chunk;
}

async function* prepend(
  chunk: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield chunk;
  yield* { [Symbol.asyncIterator]: () => rest };
}
