/** A call's request as Connect takes it, from Node's HTTP. */
import { createContextValues } from '@connectrpc/connect';
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node';
import { type CallRecord, callRecordKey } from '../call-record.ts';
import type { NodeRequest, NodeResponse, UniversalRequest } from '../http-types.ts';
import { takeClientTimeout } from './deadline.ts';
import { acceptReplyEncoding } from './reply-encoding.ts';

export interface ReceivedRequest {
  readonly request: UniversalRequest;
  /** How long its client gives the call, milliseconds. */
  readonly clientTimeout: number | undefined;
}

/** @throws TypeError of a Host or a path that make no URL */
export function receiveRequest(
  request: NodeRequest,
  response: NodeResponse,
  record: CallRecord,
): ReceivedRequest {
  const values = createContextValues().set(callRecordKey, record);
  leaveOutZone(request);
  const received = universalRequestFromNodeRequest(request, response, undefined, values);
  const header = new Headers(received.header);
  if (record.protocol === 'grpc-web-text') header.set('content-type', 'application/grpc-web+proto');
  acceptReplyEncoding(header, record.protocol);
  const clientTimeout = takeClientTimeout(header, record.protocol);
  const universal = {
    ...received,
    header,
    body: received.body as AsyncIterable<Uint8Array>,
    contextValues: values,
  };
  return { request: universal, clientTimeout };
}

/** grpcio names the interface of a link-local address, `[fe80::1%eth0]:52001`, which is no part of a URL (RFC 6874, 4). */
function leaveOutZone({ headers }: NodeRequest): void {
  for (const name of [':authority', 'host']) {
    const value = headers[name];
    if (typeof value === 'string') headers[name] = value.replace(/^(\[[^\]%]*)%[^\]]*\]/, '$1]');
  }
}
