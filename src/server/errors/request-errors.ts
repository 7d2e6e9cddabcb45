/** What can be wrong with a message, whoever finds it: our readers or Connect. */
import { OperatorError } from '../../errors.ts';

export const malformed = (problem: string): OperatorError =>
  new OperatorError('REQUEST_MALFORMED', `the request is malformed: ${problem}`);

/** @param bytes - that it has, where it is known */
export const tooLarge = (
  most: number,
  bytes?: number,
  what: 'request' | 'reply' = 'request',
): OperatorError =>
  new OperatorError(
    'MESSAGE_TOO_LARGE',
    `the ${what} ${bytes === undefined ? 'is too large' : `has ${bytes} bytes`}; at most ${most} bytes are allowed (--max-message-bytes)`,
  );

/** @param most - bytes that are no image */
export const tooMuchBeside = (most: number): OperatorError =>
  new OperatorError(
    'MESSAGE_TOO_LARGE',
    `the request has more than ${most} bytes beside its images`,
  );
