import { codeToString, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { OperatorError } from '../../errors.ts';
import { type CallRecord, isGrpc } from '../call-record.ts';
import type { NodeRequest, NodeResponse } from '../http-types.ts';
import { hangUp } from '../limits/hang-up.ts';
import { toPlainConnectError } from './connect-error.ts';
import { sendGrpcError } from './grpc-status.ts';

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
  const error = toPlainConnectError(new OperatorError('OVERLOADED', message), record);
  if (record) Object.assign(record, { code: codeToString(error.code), message });
  if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
  if (isGrpc(request.headers['content-type'])) sendGrpcError(request, response, error);
  else {
    response.statusCode = 429;
    response.setHeader('content-type', 'application/json');
    response.end(errorToJsonBytes(error, undefined));
  }
}
