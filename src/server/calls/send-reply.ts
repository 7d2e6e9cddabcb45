/** A call's reply from Connect, over Node's HTTP. */
import { constants } from 'node:http2';
import { universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { CallRecord } from '../call-record.ts';
import type { NodeRequest, NodeResponse, UniversalReply } from '../http-types.ts';
import { encodeBase64Stream, encodeBase64Whole } from './grpc-web-text.ts';

/** Of grpc-web-text. What is none of gRPC-web's replies, such as a 405, is JSON and stays so. */
export function asText(reply: UniversalReply, streaming: boolean): UniversalReply {
  if (reply.status !== 200) return reply;
  const header = new Headers(reply.header);
  header.set('content-type', 'application/grpc-web-text+proto');
  const encode = streaming ? encodeBase64Stream : encodeBase64Whole;
  return { ...reply, header, ...(reply.body && { body: encode(reply.body) }) };
}

/** Settles when all has been handed to the connection; counts the bytes. */
export async function sendReply(
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

/** Bun 1.4.5 calls a reply over HTTP/2 finished, too, when its stream ends with what was never sent. */
export const wasReset = (request: NodeRequest): boolean =>
  'stream' in request && request.stream.rstCode > constants.NGHTTP2_NO_ERROR;
