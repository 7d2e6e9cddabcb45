/** A TIFF strip's compression undone (TIFF 6.0, sections 9 and 13, and Deflate), never beyond the strip's size. */
import { constants, inflateSync } from 'node:zlib';
import { OperatorError } from '../../errors.ts';
import type { Compression } from './directory.ts';

const corrupt = (): OperatorError =>
  new OperatorError('IMAGE_CORRUPT', "the TIFF's image data is damaged");

/**
 * @param size - bytes that are wanted of it
 * @param whole - bytes it holds when unpacked: a tile that sticks out below is stored whole, and the last strip may be
 * @returns as many bytes, or fewer if the strip ends before
 * @throws OperatorError IMAGE_CORRUPT
 */
export function unpackStrip(
  strip: Uint8Array,
  compression: Compression,
  size: number,
  whole: number = size,
): Uint8Array {
  if (compression === 'LZW') return unpackLzw(strip, size);
  if (compression === 'PackBits') return unpackBits(strip, size);
  if (compression === 'Deflate') return inflate(strip, size, whole);
  return strip;
}

function inflate(strip: Uint8Array, size: number, whole: number): Uint8Array {
  try {
    // Many strips may share the same long nothing.
    const options = { maxOutputLength: 2 * whole + 1024, finishFlush: constants.Z_SYNC_FLUSH };
    return inflateSync(strip, options).subarray(0, size);
  } catch {
    throw corrupt();
  }
}

function unpackBits(strip: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let written = 0;
  for (let offset = 0; offset < strip.length && written < size; ) {
    const control = strip[offset++] as number;
    if (control < 128) {
      const literal = strip.subarray(offset, offset + Math.min(control + 1, size - written));
      out.set(literal, written);
      written += literal.length;
      offset += control + 1;
    } else if (control > 128) {
      const end = Math.min(written + 257 - control, size);
      out.fill(strip[offset++] ?? 0, written, end);
      written = end;
    }
  }
  return out.subarray(0, written);
}

/** What `copyWithin` costs however little it copies. */
const shortPiece = 24;

/** Copies a piece of the output to its end, as far as there is room. @returns the new end */
function repeatPiece(out: Uint8Array, start: number, length: number, end: number): number {
  const to = Math.min(end + length, out.length);
  // A piece may reach one byte into its own copy, when its code is the one just defined.
  const known = Math.min(end - start, to - end);
  let at = end;
  if (known > shortPiece) {
    out.copyWithin(end, start, start + known);
    at = end + known;
  }
  for (; at < to; at++) out[at] = out[start + at - end] as number;
  return to;
}

const clear = 256;
const end = 257;
/**
 * A code stands for a piece of the output that is already written: the previous code's, and one byte more. Made once, not for
 * each of what may be thousands of strips; nothing is read that was not written for the same strip.
 */
const starts = new Int32Array(4097);
const lengths = new Int32Array(4097);

/** Codes from 9 to 12 bits, most significant bit first, one bit longer already before the last code of a length. */
function unpackLzw(strip: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let written = 0;
  let next = 258;
  let bits = 9;
  let previousStart = -1;
  let previousLength = 0;
  let held = 0;
  let available = 0;
  for (let offset = 0; written < size; ) {
    while (available < bits && offset < strip.length) {
      held = ((held << 8) | (strip[offset++] as number)) & 0xffffff;
      available += 8;
    }
    if (available < bits) break;
    available -= bits;
    const code = (held >> available) & ((1 << bits) - 1);
    if (code === end) break;
    if (code === clear) {
      next = 258;
      bits = 9;
      previousStart = -1;
      continue;
    }
    if (previousStart >= 0 && next < 4096) {
      starts[next] = previousStart;
      lengths[next] = previousLength + 1;
      next += 1;
    }
    if (code >= next) throw corrupt();
    const start = written;
    const length = code < 256 ? 1 : (lengths[code] as number);
    if (code < 256) out[written++] = code;
    else written = repeatPiece(out, starts[code] as number, length, written);
    if (next + 1 >= 1 << bits && bits < 12) bits += 1;
    previousStart = start;
    previousLength = length;
  }
  return out.subarray(0, written);
}
