/**
 * Whatever is not an error of Connect's own it answers with INTERNAL. So ours are converted where they enter Connect, and that
 * is at two doors: what a service throws, and what the body throws, which Connect reads before any interceptor runs.
 */
import type { ConnectError, ContextValues, Interceptor } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { callRecordKey } from '../call-record.ts';
import type { RpcHandler, UniversalRequest } from '../http-types.ts';
import { imageFieldKey, toConnectError } from './connect-error.ts';

/** Of a service. */
export const convertServiceErrors: Interceptor = (next) => async (request) => {
  const convert = converter(request.contextValues, request.signal);
  try {
    const reply = await next(request);
    if (!reply.stream) return reply;
    return { ...reply, message: converted(reply.message, noted(request.contextValues, convert)) };
  } catch (thrown) {
    throw convert(thrown);
  }
};

/** Of the body that one of Connect's handlers reads. */
export function convertBodyErrors<H extends RpcHandler>(handler: H): H {
  const handle = (request: UniversalRequest) => {
    const convert = converter(request.contextValues, request.signal);
    return handler({ ...request, body: converted(request.body, convert) });
  };
  return Object.assign(handle, handler);
}

type Convert = (thrown: unknown) => ConnectError;

const converter =
  (values: ContextValues, signal: AbortSignal): Convert =>
  (thrown) =>
    toConnectError(thrown, {
      record: values.get(callRecordKey),
      field: values.get(imageFieldKey),
      signal,
    });

/** The reply has begun by then, and whoever looked at its beginning for an error found none. */
const noted =
  (values: ContextValues, convert: Convert): Convert =>
  (thrown) => {
    const error = convert(thrown);
    const record = values.get(callRecordKey);
    if (record)
      Object.assign(record, { code: codeToString(error.code), message: error.rawMessage });
    return error;
  };

async function* converted<T>(
  items: AsyncIterable<T>,
  convert: Convert,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } catch (thrown) {
    throw convert(thrown);
  }
}
