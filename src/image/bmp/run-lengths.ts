/** BMP's RLE8, unpacked as Pillow does it (BmpRleDecoder, BmpImagePlugin.py). */
import { OperatorError } from '../../errors.ts';
import { copyBytes } from '../copy-bytes.ts';

/**
 * Pairs of bytes: a count and the index it repeats, or 0 and what is to be done.
 * @param start - where the first pair is
 * @param size - pixels wanted
 * @returns as many palette indices, rows as stored, or fewer if the data end before
 * @throws OperatorError IMAGE_UNSUPPORTED
 */
export function unpackRunLengths(
  bytes: Uint8Array,
  start: number,
  width: number,
  size: number,
): Uint8Array {
  const indices = new Uint8Array(size);
  let written = 0;
  let column = 0;
  for (let offset = start; written < size && offset + 1 < bytes.length; ) {
    const count = bytes[offset] as number;
    const value = bytes[offset + 1] as number;
    offset += 2;
    if (count > 0) {
      // What would go beyond the row is dropped.
      const run = Math.min(count, Math.max(0, width - column));
      indices.fill(value, written, written + run);
      written += run;
      column += run;
    } else if (value === 0) {
      // The end of the row; the rest of it has index 0.
      written += (width - (written % width)) % width;
      column = 0;
    } else if (value === 1) break;
    else if (value === 2)
      // Pillow takes the distances from the wrong bytes.
      throw new OperatorError(
        'IMAGE_UNSUPPORTED',
        'BMP compression RLE8 with skipped pixels is not supported; without them it is',
      );
    else {
      const end = Math.min(offset + value, offset + size - written);
      written += copyBytes(bytes, offset, end, indices, written);
      column += value;
      offset += value;
      offset += offset & 1; // runs of indices are padded to an even place in the file
    }
  }
  return indices.subarray(0, written);
}
