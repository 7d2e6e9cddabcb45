/** What can go wrong between this operator and a Phantoscope, told so that the reader knows what to change. */
export type FailureKind =
  /** The API server did not answer, or not in time. */
  | 'unreachable'
  /** Something answered that is not the REST API of Phantoscope, or that contradicts itself. */
  | 'not-phantoscope'
  /** The API server refused, with its own words. */
  | 'refused'
  /** The advertised endpoint is not one that Phantoscope could use. */
  | 'endpoint'
  /** The name belongs to another operator. */
  | 'taken'
  /** The weights at that endpoint are random. */
  | 'untrained'
  /** The caller gave up after something had been changed. */
  | 'interrupted'
  /** The options do not fit what was found, an image missing for v0.2 for example. */
  | 'options';

export class PhantoscopeError extends Error {
  override readonly name = 'PhantoscopeError';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Whether the API server has said what came of a request; where it has not, anything may have. */
export const isAnswer = (thrown: unknown): thrown is PhantoscopeError =>
  thrown instanceof PhantoscopeError && !/^(unreachable|interrupted)$/.test(thrown.kind);

/**
 * Text from the other side, fit for one line of a terminal or a log: markup, control characters (terminal escapes among
 * them) and line breaks removed, cut to `length` characters.
 */
export function printable(text: string, length = 200): string {
  const flat = text
    .slice(0, 64 * length)
    .replace(/<(style|script)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<[^>]{0,1000}>/g, ' ')
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim();
  return flat.length > length ? `${flat.slice(0, length)}…` : flat;
}

/** The words of whatever was thrown, the cause's where the error itself says nothing. */
export function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return printable(String(thrown));
  return printable(thrown.message || (thrown.cause ? reason(thrown.cause) : thrown.name));
}
