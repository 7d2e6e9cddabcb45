/** One RPC from the HTTP request to the last byte of its reply. */
import { OperatorError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type CallRecord, createCallRecord, logCall } from '../call-record.ts';
import { refuse } from '../errors/refuse.ts';
import { settleReply } from '../errors/reply-errors.ts';
import type { NodeRequest, NodeResponse } from '../http-types.ts';
import { abandon } from '../limits/abandon.ts';
import { hangUp } from '../limits/hang-up.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import type { Place, Places } from '../limits/places.ts';
import { createDeadline } from './deadline.ts';
import { decodeBase64Stream } from './grpc-web-text.ts';
import { type ReceivedRequest, receiveRequest } from './receive-request.ts';
import { watchBody } from './request-body.ts';
import type { Rpc } from './rpcs.ts';
import { asText, sendReply, wasReset } from './send-reply.ts';

export interface CallOptions {
  readonly log: Log;
  readonly requestTimeout: number;
  readonly stallTimeout: number;
  /** Cuts off what still runs at the end of a drain. */
  readonly shutdownSignal: AbortSignal;
  readonly loop: LoopScheduler;
}

/** Settles when the reply has been handed to the connection, or the call has been given up; never rejects. */
export async function handleCall(
  rpc: Rpc,
  request: NodeRequest,
  response: NodeResponse,
  options: CallOptions,
): Promise<void> {
  const { places } = rpc;
  const record = createCallRecord(rpc.handler, request);
  logWhenClosed(options.log, record, request, response);
  response.setHeader('x-request-id', record.requestId);
  const cut = new AbortController();
  const place = places.enter(() => cut.abort(gaveWay(places)));
  if (!place) {
    await options.loop.ready('call');
    return refuse(request, response, places.full, record);
  }
  response.once('close', place.leave);
  let received: ReceivedRequest;
  try {
    received = receiveRequest(request, response, record);
  } catch (thrown) {
    return refuseTarget(thrown, response, record);
  }
  try {
    await answer(rpc, received, response, { ...options, record, place, cut: cut.signal });
  } catch (thrown) {
    giveUp(thrown, response, record);
  }
}

interface Call extends CallOptions {
  readonly record: CallRecord;
  readonly place: Place;
  /** Fires when the call has lost its place. */
  readonly cut: AbortSignal;
}

async function answer(
  { handler }: Rpc,
  { request, clientTimeout }: ReceivedRequest,
  response: NodeResponse,
  { record, place, cut, shutdownSignal, requestTimeout, stallTimeout }: Call,
): Promise<void> {
  // A stream of health or reflection is open for as long as its client likes; the one open for longest gives way to a new one.
  const streaming = handler.method.methodKind !== 'unary';
  const limits = { requestTimeout: streaming ? undefined : requestTimeout, clientTimeout };
  const { signal, clear } = createDeadline(limits, request.signal, cut, shutdownSignal);
  response.once('close', clear);
  signal.addEventListener('abort', () => hangUp(response), { once: true });
  const body = watchBody(request.body, {
    signal,
    record,
    stallTimeout: streaming ? undefined : stallTimeout,
    place: streaming ? { clientsTurn() {}, ourTurn() {} } : place,
  });
  const text = record.protocol === 'grpc-web-text';
  const reply = await handler({
    ...request,
    signal,
    body: text ? decodeBase64Stream(body) : body,
  });
  const settled = await settleReply(reply, record);
  place.clientsTurn();
  await sendReply(text ? asText(settled, streaming) : settled, response, record);
}

/** One line, when the connection is done with the call. */
function logWhenClosed(
  log: Log,
  record: CallRecord,
  request: NodeRequest,
  response: NodeResponse,
): void {
  let sent = false;
  response.once('finish', () => {
    sent = !wasReset(request);
  });
  response.once('close', () => {
    if (!sent && record.code === 'ok') record.code = 'canceled';
    logCall(log, record);
  });
}

/** A Host or a path that make no URL. */
function refuseTarget(thrown: unknown, response: NodeResponse, record: CallRecord): void {
  record.code = 'http 400';
  record.message = thrown instanceof Error ? thrown.message : String(thrown);
  response.statusCode = 400;
  response.end();
}

const gaveWay = ({ full }: Places): OperatorError =>
  new OperatorError('OVERLOADED', `${full}; a new one took the place of this, whose client paused`);

/** What fails outside the service, above all writing to a connection that is gone. */
function giveUp(thrown: unknown, response: NodeResponse, record: CallRecord): void {
  const gone = response.destroyed || response.writableEnded;
  record.code = gone ? 'canceled' : 'internal';
  if (!gone) record.cause = thrown;
  abandon(response);
}
