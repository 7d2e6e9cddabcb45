/** Which format a file is in, by its content; names and media types are never asked. */
import { OperatorError } from '../errors.ts';

export type Format = 'JPEG' | 'PNG' | 'GIF' | 'BMP' | 'WebP' | 'TIFF';
export const supportedFormats: readonly Format[] = ['JPEG', 'PNG', 'GIF', 'BMP', 'WebP', 'TIFF'];

/** Latin-1, `?` stands for any byte. */
type Magic = readonly [offset: number, pattern: string];

const supported: readonly (readonly [Format, Magic])[] = [
  ['JPEG', [0, '\xff\xd8\xff']],
  ['PNG', [0, '\x89PNG\r\n\x1a\n']],
  ['GIF', [0, 'GIF87a']],
  ['GIF', [0, 'GIF89a']],
  ['BMP', [0, 'BM']],
  ['WebP', [0, 'RIFF????WEBP']],
  ['TIFF', [0, 'II*\0']],
  ['TIFF', [0, 'MM\0*']],
];

/** What people send besides; named so that they know what to convert. */
const known: readonly (readonly [string, Magic])[] = [
  ['AVIF', [4, 'ftypavi']],
  ['HEIC', [4, 'ftyphe']],
  ['HEIC', [4, 'ftypmif1']],
  ['MP4 or QuickTime', [4, 'ftyp']],
  ['JPEG XL', [0, '\xff\x0a']],
  ['JPEG XL', [0, '\0\0\0\x0cJXL ']],
  ['JPEG 2000', [0, '\0\0\0\x0cjP  ']],
  ['JPEG 2000', [0, '\xff\x4f\xff\x51']],
  ['Windows icon', [0, '\0\0\x01\0']],
  ['BigTIFF', [0, 'II+\0']],
  ['BigTIFF', [0, 'MM\0+']],
  ['Photoshop', [0, '8BPS']],
  ['PDF', [0, '%PDF-']],
  ['RIFF (not WebP)', [0, 'RIFF']],
  ['Matroska or WebM', [0, '\x1a\x45\xdf\xa3']],
  ['ZIP', [0, 'PK\x03\x04']],
  ['gzip', [0, '\x1f\x8b']],
  ['PNM', [0, 'P?\n']],
  ['OpenEXR', [0, 'v/1\x01']],
];

/** @throws OperatorError IMAGE_UNKNOWN_FORMAT saying what the bytes are instead */
export function detectFormat(bytes: Uint8Array): Format {
  if (bytes.length === 0) throw new OperatorError('IMAGE_EMPTY', 'the item holds no data');
  const format = supported.find(([, magic]) => matches(bytes, magic))?.[0];
  if (format) return format;
  const name = known.find(([, magic]) => matches(bytes, magic))?.[0];
  const what = name ? `${name} is not supported` : describe(bytes);
  throw new OperatorError(
    'IMAGE_UNKNOWN_FORMAT',
    `${what}; supported formats: ${supportedFormats.join(', ')}`,
  );
}

function matches(bytes: Uint8Array, [offset, pattern]: Magic): boolean {
  if (bytes.length < offset + pattern.length) return false;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== '?' && bytes[offset + i] !== pattern.charCodeAt(i)) return false;
  }
  return true;
}

/** For bytes that no magic number fits. */
function describe(bytes: Uint8Array): string {
  const text = asText(bytes.subarray(0, 512));
  if (text === undefined) return 'the bytes are not an image';
  if (/<svg[\s>]/i.test(text)) return 'SVG is not supported';
  if (/^\s*(<!doctype html|<html)/i.test(text)) return 'the item decodes to HTML, not to an image';
  if (/^\s*(https?|data):/i.test(text)) return 'the item decodes to a URL, not to an image';
  if (/^(\/9j\/|iVBORw0KGgo|R0lGOD|UklGR)/.test(text))
    return 'the item decodes to base64 text: it was encoded twice';
  return 'the item decodes to text, not to an image';
}

/** The bytes as text if they are printable UTF-8; the last character may be cut. */
function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return /\p{Cc}/u.test(text.replace(/\s/g, '')) ? undefined : text;
  } catch {
    return undefined;
  }
}
