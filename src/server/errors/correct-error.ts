/** Says in our own terms what Connect found wrong with a message before it came to the service. */
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { type ErrorCode, OperatorError } from '../../errors.ts';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { CallRecord } from '../call-record.ts';
import { toPlainConnectError } from './connect-error.ts';
import { malformed, tooLarge } from './request-errors.ts';
import { shorten } from './shorten.ts';

/** Most characters of an error's message: some quote what was sent, and that can be an image of many megabytes. */
const maxMessage = 300;

/** Notes it in the record. @returns what goes on the wire */
export function correct(error: ConnectError, record: CallRecord): ConnectError {
  const known = inOurTerms(error, record) ?? withOurCode(error);
  const corrected = known ? toPlainConnectError(known, record) : error;
  const short = shorten(corrected.rawMessage, maxMessage);
  record.code = codeToString(corrected.code);
  record.message = short;
  const result = new ConnectError(short, corrected.code);
  result.details = corrected.details;
  return result;
}

/** What Connect itself refuses with a code: a message that is missing, a compression it does not have, a deadline, ... */
const codesOfConnect: Partial<Record<Code, ErrorCode>> = {
  [Code.InvalidArgument]: 'REQUEST_MALFORMED',
  [Code.Unimplemented]: 'REQUEST_UNSUPPORTED',
  [Code.DeadlineExceeded]: 'DEADLINE',
  [Code.Canceled]: 'CANCELLED',
  [Code.Internal]: 'INTERNAL',
};

function withOurCode(error: ConnectError): OperatorError | undefined {
  const code = codesOfConnect[error.code];
  const hasOne = error.findDetails(ErrorInfoSchema).length > 0;
  return code && !hasOne ? new OperatorError(code, error.rawMessage) : undefined;
}

const emptyJson = 'the body is empty; the JSON of a message without fields is {}';
const noJson = 'the body is not a JSON object, or not a whole one';

/**
 * Connect 2.1.2 answers INTERNAL to a message that is not protobuf, and speaks of `readMaxBytes`; the tests in
 * tests/server/messages.test.ts hold on to both.
 */
function inOurTerms(
  { code, rawMessage }: ConnectError,
  { bytes }: Pick<CallRecord, 'bytes'>,
): OperatorError | undefined {
  const binary = /^parse binary: (.*)/.exec(rawMessage);
  if (code === Code.Internal && binary) return malformed(binary[1] ?? '');
  // What was read instead is quoted in full, and may be an image.
  const json = /^cannot decode (field|message) (\S+) from JSON: (expected [^,]*)?/.exec(rawMessage);
  if (code === Code.InvalidArgument && json) {
    const [, kind, name, expected] = json;
    const unread = kind === 'message' ? noJson : 'the value is not of its type';
    const problem = expected ?? (bytes === 0 ? emptyJson : unread);
    return malformed(`${name}: ${problem}`);
  }
  const limit = /message (?:size )?(?:(\d+) )?is larger than configured (read|write)MaxBytes (\d+)/;
  const [, size, direction, most] = limit.exec(rawMessage) ?? [];
  if (code !== Code.ResourceExhausted || most === undefined) return undefined;
  const has = size === undefined ? undefined : Number(size);
  return tooLarge(Number(most), has, direction === 'read' ? 'request' : 'reply');
}
