/** base64 text, bare or as a data URI, to the bytes of a file. */
import { OperatorError } from '../errors.ts';

const invalid = (message: string): OperatorError => new OperatorError('BASE64_INVALID', message);

/**
 * Tolerates white space anywhere, missing or surplus padding, and the URL-safe alphabet.
 * @throws OperatorError BASE64_INVALID with the first wrong character and its 0-based position in `text`; IMAGE_EMPTY
 */
export function decodeBase64(text: string): Uint8Array {
  const start = payloadStart(text);
  const end = payloadEnd(text, start);
  if (end <= start) throw new OperatorError('IMAGE_EMPTY', 'the item holds no data');
  const payload = start === 0 && end === text.length ? text : text.slice(start, end);

  // Buffer skips what is not base64 instead of refusing it, and is several times faster than Uint8Array.fromBase64. If it
  // skipped nothing, the length is what the number of characters promises, and nothing was wrong.
  const fast = Buffer.from(payload, 'base64');
  if (payload.length % 4 !== 1 && fast.length === Math.floor((payload.length * 3) / 4)) return fast;

  const wrong = payload.search(/[^A-Za-z0-9+/_\s-]/);
  if (wrong >= 0) throw wrongCharacter(text, start + wrong);
  const compact = payload.replace(/\s+/g, '');
  if (compact.length % 4 === 1)
    throw invalid(`base64 of ${compact.length} characters is cut off: one character is left over`);
  return Buffer.from(compact, 'base64');
}

/** Where the base64 begins: behind `data:…;base64,` if there is such a prefix. */
function payloadStart(text: string): number {
  const scheme = /^\s*data:/i.exec(text.slice(0, 64));
  if (!scheme) return 0;
  const comma = text.indexOf(',');
  if (comma < 0) throw invalid('a data URI without a comma: expected data:<type>;base64,<text>');
  // A media type is short; looking at more of a long prefix would be looking for trouble.
  const prefix = text.slice(0, Math.min(comma, 1024));
  if (!/;\s*base64\s*$/i.test(prefix))
    throw invalid('a data URI that is not base64: expected data:<type>;base64,<text>');
  return comma + 1;
}

/** Where the base64 ends: before padding and white space. */
function payloadEnd(text: string, start: number): number {
  let end = text.length;
  while (end > start && /[=\s]/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

function wrongCharacter(text: string, position: number): OperatorError {
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? `'${character}'`
    : `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const likeness = looksLike(text);
  const hint = likeness ? `; the text looks like ${likeness}` : '';
  return invalid(`not base64: ${shown} at position ${position}${hint}`);
}

const likenesses: readonly (readonly [RegExp, string])[] = [
  [/^\s*(https?|ftp|s3|file):\/\//i, 'a URL'],
  [/^\s*b(['"])/, "Python's printed form of a bytes object: decode it to text first"],
  [/^\s*<svg|^\s*<\?xml/i, 'XML or SVG'],
  [/^\s*</, 'HTML'],
  [/^\s*[[{"]/, 'JSON'],
  [
    /^\s*([A-Za-z]:\\|\.{0,2}\/|~\/)?[\w ./\\-]+\.(jpe?g|png|gif|webp|bmp|tiff?)\s*$/i,
    'a file name',
  ],
  [/^\s*-----BEGIN/, 'PEM'],
];

function looksLike(text: string): string | undefined {
  const opening = text.slice(0, 256);
  return likenesses.find(([pattern]) => pattern.test(opening))?.[1];
}
