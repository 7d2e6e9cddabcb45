/** One RPC from the HTTP request to the last byte of its reply. */
import { constants } from 'node:http2';
import { createContextValues } from '@connectrpc/connect';
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { OperatorError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type CallRecord, callRecordKey, createCallRecord, logCall } from '../call-record.ts';
import { refuse } from '../errors/refuse.ts';
import { settleReply } from '../errors/reply-errors.ts';
import type { NodeRequest, NodeResponse, UniversalReply, UniversalRequest } from '../http-types.ts';
import { hangUp } from '../limits/hang-up.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import type { Places } from '../limits/places.ts';
import { createDeadline, dropFarDeadlines } from './deadline.ts';
import { decodeBase64Stream, encodeBase64Stream, encodeBase64Whole } from './grpc-web-text.ts';
import { acceptReplyEncoding } from './reply-encoding.ts';
import { watchBody } from './request-body.ts';
import type { Rpc } from './rpcs.ts';

export interface CallOptions {
  readonly log: Log;
  readonly requestTimeout: number;
  readonly stallTimeout: number;
  readonly loop: LoopScheduler;
}

/** Settles when the reply has been handed to the connection, or the call has been given up; never rejects. */
export async function handleCall(
  { handler, places }: Rpc,
  request: NodeRequest,
  response: NodeResponse,
  { log, requestTimeout, stallTimeout, loop }: CallOptions,
): Promise<void> {
  const record = createCallRecord(handler, request);
  const streaming = handler.method.methodKind !== 'unary';
  let sent = false;
  response.once('finish', () => {
    sent = !wasReset(request);
  });
  response.once('close', () => {
    if (!sent && record.code === 'ok') record.code = 'canceled';
    logCall(log, record);
  });
  response.setHeader('x-request-id', record.requestId);
  const cut = new AbortController();
  const place = places.enter(() => cut.abort(gaveWay(places)));
  if (!place) {
    await loop.ready('call');
    return refuse(request, response, places.full, record);
  }
  response.once('close', place.leave);
  let received: UniversalRequest;
  try {
    received = receive(request, response, record);
  } catch (thrown) {
    // A Host or a path that make no URL.
    record.code = 'http 400';
    record.message = thrown instanceof Error ? thrown.message : String(thrown);
    response.statusCode = 400;
    response.end();
    return;
  }
  try {
    // A stream of health or reflection is open for as long as its client likes, and nobody needs its place.
    const ends = [received.signal, cut.signal];
    const deadline = streaming ? undefined : createDeadline(requestTimeout, ...ends);
    response.once('close', () => deadline?.clear());
    const signal = deadline?.signal ?? AbortSignal.any(ends);
    signal.addEventListener('abort', () => hangUp(response), { once: true });
    const body = watchBody(received.body, {
      signal,
      record,
      stallTimeout: streaming ? undefined : stallTimeout,
      place: streaming ? { clientsTurn() {}, ourTurn() {} } : place,
    });
    const text = record.protocol === 'grpc-web-text';
    const reply = await handler({
      ...received,
      signal,
      body: text ? decodeBase64Stream(body) : body,
    });
    const settled = await settleReply(reply, record);
    place.clientsTurn();
    await send(text ? asText(settled, streaming) : settled, response, record);
  } catch (thrown) {
    giveUp(thrown, response, record);
  }
}

/** Bun 1.4.5 calls a reply over HTTP/2 finished, too, when its stream ends with what was never sent. */
const wasReset = (request: NodeRequest): boolean =>
  'stream' in request && request.stream.rstCode > constants.NGHTTP2_NO_ERROR;

function receive(
  request: NodeRequest,
  response: NodeResponse,
  record: CallRecord,
): UniversalRequest {
  const values = createContextValues().set(callRecordKey, record);
  leaveOutZone(request);
  const received = universalRequestFromNodeRequest(request, response, undefined, values);
  const header = new Headers(received.header);
  if (record.protocol === 'grpc-web-text') header.set('content-type', 'application/grpc-web+proto');
  acceptReplyEncoding(header, record.protocol);
  dropFarDeadlines(header);
  return {
    ...received,
    header,
    body: received.body as AsyncIterable<Uint8Array>,
    contextValues: values,
  };
}

/** grpcio names the interface of a link-local address, `[fe80::1%eth0]:52001`, which is no part of a URL (RFC 6874, 4). */
function leaveOutZone({ headers }: NodeRequest): void {
  for (const name of [':authority', 'host']) {
    const value = headers[name];
    if (typeof value === 'string') headers[name] = value.replace(/^(\[[^\]%]*)%[^\]]*\]/, '$1]');
  }
}

function asText(reply: UniversalReply, streaming: boolean): UniversalReply {
  const header = new Headers(reply.header);
  if (reply.status === 200) header.set('content-type', 'application/grpc-web-text+proto');
  const encode = streaming ? encodeBase64Stream : encodeBase64Whole;
  return { ...reply, header, ...(reply.body && { body: encode(reply.body) }) };
}

async function send(
  reply: UniversalReply,
  response: NodeResponse,
  record: CallRecord,
): Promise<void> {
  const { body } = reply;
  async function* measured(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      record.replyBytes += chunk.byteLength;
      yield chunk;
    }
  }
  await universalResponseToNodeResponse(
    body ? { ...reply, body: measured(body) } : reply,
    response,
  );
}

const gaveWay = ({ full }: Places): OperatorError =>
  new OperatorError('OVERLOADED', `${full}; a new one took the place of this, whose client paused`);

/** What fails outside the service, above all writing to a connection that is gone. */
function giveUp(thrown: unknown, response: NodeResponse, record: CallRecord): void {
  const gone = response.destroyed || response.writableEnded;
  record.code = gone ? 'canceled' : 'internal';
  if (!gone) record.cause = thrown;
  response.destroy();
}
