/**
 * The one error type of the operator and the catalogue of everything that can go wrong with a request.
 *
 * A code says what happened, its kind says what the client can do about it. `server/` maps kinds to Connect codes in one
 * place; the README's table of errors is generated from this catalogue.
 */
export type ErrorKind =
  | 'invalid_argument'
  | 'permission_denied'
  | 'unauthenticated'
  | 'unavailable'
  | 'resource_exhausted'
  | 'cancelled'
  | 'deadline_exceeded'
  | 'unimplemented'
  | 'internal';

export interface ErrorEntry {
  readonly kind: ErrorKind;
  /** What it means, in one sentence, for the README. */
  readonly meaning: string;
}

const entry = (kind: ErrorKind, meaning: string): ErrorEntry => ({ kind, meaning });

export const errorCatalogue = {
  IMAGE_EMPTY: entry('invalid_argument', 'The item holds no data.'),
  BASE64_INVALID: entry(
    'invalid_argument',
    'The item is not base64 text or not a base64 data URI.',
  ),
  IMAGE_UNKNOWN_FORMAT: entry(
    'invalid_argument',
    'The bytes are not an image of a supported format.',
  ),
  IMAGE_TRUNCATED: entry('invalid_argument', 'The image ends before its data does.'),
  IMAGE_CORRUPT: entry('invalid_argument', 'The image cannot be decoded.'),
  IMAGE_UNSUPPORTED: entry(
    'invalid_argument',
    'The format is known, this form of it is not supported.',
  ),
  IMAGE_TOO_LARGE: entry('invalid_argument', 'The image has more bytes or pixels than allowed.'),
  REQUEST_MALFORMED: entry(
    'invalid_argument',
    'The request is not the message that the .proto describes.',
  ),
  REQUEST_UNSUPPORTED: entry(
    'unimplemented',
    'There is no such method, or not in the compression or encoding of the request.',
  ),
  MESSAGE_TOO_LARGE: entry(
    'resource_exhausted',
    'The request or the reply has more bytes than allowed.',
  ),
  TOO_MANY_IMAGES: entry('invalid_argument', 'The request holds more images than allowed.'),
  URL_INVALID: entry('invalid_argument', 'The URL is malformed, or neither http nor https.'),
  URL_FETCH_OFF: entry('permission_denied', 'Fetching images by URL is switched off.'),
  URL_FORBIDDEN: entry('permission_denied', 'The URL leads to an address that is not allowed.'),
  URL_UNREACHABLE: entry('unavailable', 'The URL could not be fetched.'),
  URL_TIMEOUT: entry('unavailable', 'The server of the URL took longer than allowed.'),
  URL_BAD_RESPONSE: entry(
    'invalid_argument',
    'The server of the URL answered with something else than a file, such as status 404.',
  ),
  OVERLOADED: entry('resource_exhausted', 'Too much work is waiting; try again later.'),
  NOT_READY: entry('unavailable', 'The model is still being loaded.'),
  DRAINING: entry('unavailable', 'The operator is shutting down.'),
  CANCELLED: entry('cancelled', 'The client gave up.'),
  DEADLINE: entry('deadline_exceeded', 'The deadline passed before the answer was ready.'),
  INFERENCE_FAILED: entry('internal', 'The model could not be run.'),
  INTERNAL: entry('internal', 'Something unexpected; the cause is in the log.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface OperatorErrorOptions {
  /** Index of the image within its request, 0-based. */
  item?: number | undefined;
  /** Goes to the log, never on the wire. */
  cause?: unknown;
  /** Of further images of the same request. */
  others?: readonly OperatorError[];
}

export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: ErrorCode;
  readonly item: number | undefined;
  readonly others: readonly OperatorError[];

  /** @param message - what is wrong and what is allowed; it is sent to the client */
  constructor(code: ErrorCode, message: string, options: OperatorErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.item = options.item;
    this.others = options.others ?? [];
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind;
  }

  /** The same error, said of image number `item` of the request. */
  atItem(item: number): OperatorError {
    return new OperatorError(this.code, this.message, { item, cause: this.cause });
  }
}

/** Whatever was thrown, as an OperatorError; anything unforeseen becomes INTERNAL with the cause kept for the log. */
export function toOperatorError(thrown: unknown): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  return new OperatorError('INTERNAL', 'internal error', { cause: thrown });
}

/** What a fired signal means to the client: its deadline, its own cancellation, or the error that we fired it with. */
export function abortError(signal: AbortSignal): OperatorError {
  const reason: unknown = signal.reason;
  if (reason instanceof OperatorError) return reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new OperatorError('DEADLINE', 'the deadline passed', { cause: reason });
  }
  return new OperatorError('CANCELLED', 'the client gave up', { cause: reason });
}

/** A start that cannot go on because of how it was configured: printed as is, exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
