import { encodeGrpcMessage } from './grpc-message.ts';
import type { NodeRequest, NodeResponse } from './http-types.ts';

/** Answers RESOURCE_EXHAUSTED in the words of each protocol, without looking at the request any further. */
export function refuse(request: NodeRequest, response: NodeResponse, message: string): void {
  const type = request.headers['content-type'] ?? '';
  if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
  if (/^application\/grpc/i.test(type)) {
    response.statusCode = 200;
    response.setHeader('content-type', type);
    response.setHeader('grpc-status', '8');
    response.setHeader('grpc-message', encodeGrpcMessage(message));
    response.end();
  } else {
    response.statusCode = 429;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ code: 'resource_exhausted', message })}\n`);
  }
}
