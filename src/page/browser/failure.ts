/** An error in words for the picture it belongs to. */
import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';

export interface Failure {
  /** Two or three words. */
  readonly title: string;
  /** The operator's own sentence, where there is one. */
  readonly message: string;
  /** The operator's word for it (`IMAGE_TRUNCATED`), else the gRPC code's (`unavailable`). */
  readonly code: string;
  /** The same picture may fare better later. */
  readonly retry: boolean;
}

const titles: Partial<Record<Code, string>> = {
  [Code.InvalidArgument]: 'Not accepted',
  [Code.PermissionDenied]: 'Not allowed',
  [Code.Unauthenticated]: 'Not signed in',
  [Code.ResourceExhausted]: 'Too much at once',
  [Code.Unavailable]: 'Operator not available',
  [Code.DeadlineExceeded]: 'Took too long',
  [Code.Canceled]: 'Stopped',
};

const lasting = new Set([Code.InvalidArgument, Code.PermissionDenied, Code.Unauthenticated]);

/** What went wrong with one picture, from whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof ConnectError))
    return {
      title: 'File not readable',
      message: thrown instanceof Error ? thrown.message : String(thrown),
      code: 'browser',
      retry: true,
    };
  // A fetch that got no answer is a TypeError (https://fetch.spec.whatwg.org/#fetch-method).
  if (thrown.cause instanceof TypeError)
    return {
      title: 'Operator not reached',
      message: 'No answer came back. Is the operator still running?',
      code: 'network',
      retry: true,
    };
  return {
    title: titles[thrown.code] ?? 'Failed in the operator',
    message: sentenceOf(thrown) || 'The operator gave no reason.',
    code: thrown.findDetails(ErrorInfoSchema)[0]?.reason || wireName(thrown.code),
    retry: !lasting.has(thrown.code),
  };
}

/** The detail leaves out which item of the request it was: there is only one. */
function sentenceOf(error: ConnectError): string {
  const violation = error.findDetails(BadRequestSchema)[0]?.fieldViolations[0];
  const sentence = violation?.description || error.rawMessage;
  const end = /[.?!]$/.test(sentence) || sentence === '' ? '' : '.';
  return sentence.charAt(0).toUpperCase() + sentence.slice(1) + end;
}

function wireName(code: Code): string {
  return Code[code].replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
}
