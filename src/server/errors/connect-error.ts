/** The one place where the operator's errors become gRPC codes. */
import { Code, ConnectError, createContextKey } from '@connectrpc/connect';
import { type ErrorKind, type OperatorError, toOperatorError } from '../../errors.ts';
import { BadRequestSchema, ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { CallRecord } from '../call-record.ts';
import { shorten } from './shorten.ts';

const codes: Readonly<Record<ErrorKind, Code>> = {
  invalid_argument: Code.InvalidArgument,
  permission_denied: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unavailable,
  resource_exhausted: Code.ResourceExhausted,
  cancelled: Code.Canceled,
  deadline_exceeded: Code.DeadlineExceeded,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
};

type OutgoingDetail = NonNullable<ConstructorParameters<typeof ConnectError>[3]>[number];

/** A signal that never fires: of an error that does not follow from the end of its call. */
const never = new AbortController().signal;

/** The field of the request whose items an error names: while it arrives, errors that name one are about `datas`. */
export const imageFieldKey = createContextKey<'datas' | 'urls'>('datas', {
  description: 'field of the images',
});

export interface ErrorContext {
  readonly record: CallRecord | undefined;
  /** The field of the request that holds the images. */
  readonly field?: 'datas' | 'urls';
  /** The call's signal: what it was aborted for explains an error that follows from it. */
  readonly signal: AbortSignal;
}

/** @returns what goes on the wire; the cause goes to the record, for the log */
export function toConnectError(thrown: unknown, context: ErrorContext): ConnectError {
  const { record, signal } = context;
  if (signal.aborted && isConsequence(thrown)) return aborted(signal.reason, context);
  if (thrown instanceof ConnectError) return thrown;
  const error = toOperatorError(thrown);
  // What goes wrong afterwards follows from the first error.
  if (record && record.error === undefined) {
    record.error = error.code;
    record.cause = error.cause;
  }
  const item = itemOf(error, context);
  return new ConnectError(
    (item ? `${item}: ${error.message}` : error.message).toWellFormed(),
    codes[error.kind],
    undefined,
    details(error, context),
  );
}

/** What is known without a call. */
export const toPlainConnectError = (
  error: OperatorError,
  record: CallRecord | undefined,
): ConnectError => toConnectError(error, { record, signal: never });

/** True for what an aborted call throws on its way out. */
function isConsequence(thrown: unknown): boolean {
  if (thrown instanceof Error && thrown.name === 'AbortError') return true;
  return toOperatorError(thrown).kind === 'cancelled';
}

function aborted(reason: unknown, context: ErrorContext): ConnectError {
  const live = { ...context, signal: never };
  if (reason instanceof ConnectError || !isConsequence(reason)) return toConnectError(reason, live);
  return new ConnectError('the client gave up', Code.Canceled);
}

function itemOf(error: OperatorError, { field }: ErrorContext): string | undefined {
  return error.item === undefined || !field ? undefined : `${field}[${error.item}]`;
}

/** They travel in the trailers, of which grpcio and grpc-js take 8 KiB. */
const mostViolations = 16;
const longestDescription = 160;

function details(error: OperatorError, context: ErrorContext): OutgoingDetail[] {
  const info = { desc: ErrorInfoSchema, value: { reason: error.code, domain: 'resnet50-encoder' } };
  const fieldViolations = [error, ...error.others].slice(0, mostViolations).flatMap((bad) => {
    const field = itemOf(bad, context);
    const description =
      bad === error ? bad.message.toWellFormed() : shorten(bad.message, longestDescription);
    return field ? [{ field, description }] : [];
  });
  if (fieldViolations.length === 0) return [info];
  return [info, { desc: BadRequestSchema, value: { fieldViolations } }];
}
