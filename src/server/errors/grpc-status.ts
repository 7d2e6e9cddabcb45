/** An error in gRPC's own words: status, message and details, as headers or trailers. */
import type { ConnectError } from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { NodeRequest, NodeResponse } from '../http-types.ts';

/**
 * Text for the `grpc-message` header: UTF-8 in which all but printable ASCII, and the percent sign, is percent-encoded.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export const encodeGrpcMessage = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');

/** Connect encodes more of the message than it need, and grpc-js does not decode all of that again. */
export function setGrpcStatus(trailers: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailers, error);
  trailers.set('grpc-message', encodeGrpcMessage(error.rawMessage));
  return trailers;
}

/** A whole reply that is nothing but an error. */
export function sendGrpcError(
  request: NodeRequest,
  response: NodeResponse,
  error: ConnectError,
): void {
  response.statusCode = 200;
  response.setHeader('content-type', request.headers['content-type'] ?? 'application/grpc');
  for (const [name, value] of setGrpcStatus(new Headers(), error)) response.setHeader(name, value);
  response.end();
}
