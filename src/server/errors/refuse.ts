import { codeToString, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { OperatorError } from '../../errors.ts';
import type { CallRecord } from '../call-record.ts';
import type { NodeRequest, NodeResponse } from '../http-types.ts';
import { hangUp } from '../limits/hang-up.ts';
import { toPlainConnectError } from './connect-error.ts';
import { encodeGrpcMessage } from './grpc-message.ts';

/**
 * Answers OVERLOADED in the words of each protocol, without looking at the request any further.
 * @param record - of the call, where it is one
 */
export function refuse(
  request: NodeRequest,
  response: NodeResponse,
  message: string,
  record?: CallRecord,
): void {
  if (response.closed) return;
  hangUp(response);
  const type = request.headers['content-type'] ?? '';
  const error = toPlainConnectError(new OperatorError('OVERLOADED', message), record);
  if (record) Object.assign(record, { code: codeToString(error.code), message });
  if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
  if (/^application\/grpc/i.test(type)) {
    response.statusCode = 200;
    response.setHeader('content-type', type);
    const status = new Headers();
    setTrailerStatus(status, error);
    for (const [name, value] of status) response.setHeader(name, value);
    response.setHeader('grpc-message', encodeGrpcMessage(message));
    response.end();
  } else {
    response.statusCode = 429;
    response.setHeader('content-type', 'application/json');
    response.end(errorToJsonBytes(error, undefined));
  }
}
