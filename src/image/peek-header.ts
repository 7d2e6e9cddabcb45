/** An image's size from the first bytes of its file, long before the rest is there. */
import { OperatorError } from '../errors.ts';
import { bmpDecoder } from './bmp/decode-bmp.ts';
import { detectFormat, type Format } from './format.ts';
import { gifDecoder } from './gif/decode-gif.ts';
import { inspectJpeg } from './jpeg/header.ts';
import type { ImageHeader } from './pixels.ts';
import { pngDecoder } from './png/decode-png.ts';

/** The formats that say their size at the beginning, and can be read without a codec. */
const inspectors: Partial<Record<Format, (bytes: Uint8Array) => ImageHeader>> = {
  JPEG: inspectJpeg,
  PNG: pngDecoder.inspect,
  GIF: gifDecoder.inspect,
  BMP: bmpDecoder.inspect,
};

/**
 * So much is looked at, of the file or of its text, however much there is: it happens on the network's thread. Nearly every
 * header is within the first kilobytes; a JPEG with a large thumbnail or colour profile in front needs more.
 */
export const peekedBytes: number = 256 * 1024;

/**
 * @param start - the file's first bytes, or all of them
 * @returns undefined when they do not tell: whoever decodes the file finds out, and says what is wrong with it
 */
export function peekHeader(start: Uint8Array): ImageHeader | undefined {
  try {
    const peeked = start.subarray(0, peekedBytes);
    return inspectors[detectFormat(peeked)]?.(peeked);
  } catch (error) {
    if (error instanceof OperatorError) return undefined;
    throw error;
  }
}

/** The same for base64 text, bare or as a data URI. @param text - its first bytes */
export function peekBase64Header(text: Uint8Array): ImageHeader | undefined {
  const length = Math.min(text.length, peekedBytes);
  const start = Buffer.from(text.buffer, text.byteOffset, length).toString('latin1');
  const prefix = /^\s*data:[^,]{0,1000},/i.exec(start)?.[0].length ?? 0;
  return peekHeader(Buffer.from(start.slice(prefix), 'base64'));
}
