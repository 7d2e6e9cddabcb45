/** base64 text, bare or as a data URI, to the bytes of a file. */
import { OperatorError } from '../errors.ts';

const invalid = (message: string): OperatorError => new OperatorError('BASE64_INVALID', message);

/**
 * Tolerates white space anywhere, missing or surplus padding, and the URL-safe alphabet.
 * @throws OperatorError BASE64_INVALID with the first wrong character and its 0-based position in `text`; IMAGE_EMPTY
 */
export const decodeBase64 = (text: string): Uint8Array => decodeBase64InPlace(Buffer.from(text));

/** Characters decoded at a time, a multiple of 4. */
const pieceLength = 64 * 1024;

/**
 * The same for text in bytes (UTF-8), which are overwritten: three bytes take less room than the four characters they come
 * from, so that a large image needs no memory besides its text's.
 * @returns the bytes of the file, at the beginning of `text`
 */
export function decodeBase64InPlace(text: Uint8Array): Uint8Array {
  const buffer = Buffer.from(text.buffer, text.byteOffset, text.length);
  const opening = buffer.toString('utf8', 0, 256);
  const start = payloadStart(buffer, opening);
  const end = payloadEnd(buffer, start);
  if (end <= start) throw new OperatorError('IMAGE_EMPTY', 'the item holds no data');
  let written = 0;
  let characters = 0;
  /** What the last piece had beyond its whole groups of four. */
  let rest = '';
  for (let at = start; at < end; at += pieceLength) {
    const last = at + pieceLength >= end;
    const piece = rest + buffer.toString('latin1', at, Math.min(end, at + pieceLength));
    let length = last ? piece.length : piece.length - (piece.length % 4);
    let bytes = buffer.write(piece.slice(0, length), written, 'base64');
    let compact = piece;
    // Buffer skips what is not base64 instead of refusing it, and is several times faster than Uint8Array.setFromBase64. If
    // it skipped nothing, the length is what the number of characters promises, and nothing was wrong.
    if (length % 4 === 1 || bytes !== Math.floor((length * 3) / 4)) {
      compact = withoutSpace(piece, at - rest.length, opening);
      length = last ? compact.length : compact.length - (compact.length % 4);
      bytes = buffer.write(compact.slice(0, length), written, 'base64');
    }
    written += bytes;
    characters += length;
    rest = compact.slice(length);
  }
  if (characters % 4 === 1)
    throw invalid(`base64 of ${characters} characters is cut off: one character is left over`);
  return text.subarray(0, written);
}

function withoutSpace(piece: string, offset: number, opening: string): string {
  const wrong = piece.search(/[^A-Za-z0-9+/_\s-]/);
  if (wrong < 0) return piece.replace(/\s+/g, '');
  const [character = ''] = Buffer.from(piece.slice(wrong, wrong + 4), 'latin1').toString('utf8');
  throw wrongCharacter(character, offset + wrong, opening);
}

/** Bytes that a file has at least when its base64, in lines of 76 and with line ends of two characters, has so many. */
export const leastFileBytes = (textLength: number): number =>
  Math.floor((textLength * 3 * 76) / (4 * 78));

const comma = 0x2c;

/** Where the base64 begins: behind `data:…;base64,` if there is such a prefix. */
function payloadStart(text: Buffer, opening: string): number {
  if (!/^\s*data:/i.test(opening.slice(0, 64))) return 0;
  const at = text.indexOf(comma);
  if (at < 0) throw invalid('a data URI without a comma: expected data:<type>;base64,<text>');
  // A media type is short; looking at more of a long prefix would be looking for trouble.
  const prefix = text.toString('latin1', 0, Math.min(at, 1024));
  if (!/;\s*base64\s*$/i.test(prefix))
    throw invalid('a data URI that is not base64: expected data:<type>;base64,<text>');
  return at + 1;
}

/** Where the base64 ends: before padding and white space. */
function payloadEnd(text: Buffer, start: number): number {
  let end = text.length;
  while (end > start && /[=\s]/.test(String.fromCharCode(text[end - 1] ?? 0))) end -= 1;
  return end;
}

function wrongCharacter(character: string, position: number, opening: string): OperatorError {
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? `'${character}'`
    : `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const likeness = likenesses.find(([pattern]) => pattern.test(opening))?.[1];
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
