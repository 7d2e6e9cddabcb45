/** PNG's chunks: finding the palette and the compressed image data. */
import { crc32 } from 'node:zlib';
import { OperatorError } from '../../errors.ts';

export interface PngChunks {
  /** RGB triples. */
  readonly palette: Uint8Array | undefined;
  /** The zlib stream, as it is spread over the IDAT chunks. */
  readonly data: readonly Uint8Array[];
}

/**
 * Stops at IEND or, as Pillow does, where the chunks end without one. Frames of an animation (fdAT) are passed over: the
 * IDAT chunks hold the first frame, or the image for viewers that do not know animations.
 * @throws OperatorError IMAGE_CORRUPT, IMAGE_TRUNCATED
 */
export function readPngChunks(bytes: Uint8Array): PngChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let palette: Uint8Array | undefined;
  const data: Uint8Array[] = [];
  for (let offset = 8; offset + 8 <= bytes.length; ) {
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) {
      if (data.length > 0) break;
      throw new OperatorError('IMAGE_CORRUPT', `the PNG is damaged at byte ${offset}`);
    }
    const start = offset + 8;
    const body = bytes.subarray(start, start + length);
    if (type === 'IEND') break;
    // A chunk cut short ends the file; whether the image is whole is then for the decompressor to say.
    if (type === 'IDAT') data.push(body);
    if (type === 'PLTE') palette = checkedPalette(bytes, offset, body, length);
    offset = start + length + 4;
  }
  if (data.length === 0) throw new OperatorError('IMAGE_TRUNCATED', 'the PNG holds no image data');
  return { palette, data };
}

function checkedPalette(
  bytes: Uint8Array,
  offset: number,
  body: Uint8Array,
  length: number,
): Uint8Array {
  const end = offset + 8 + length;
  if (bytes.length < end + 4)
    throw new OperatorError('IMAGE_TRUNCATED', 'the PNG ends within its palette');
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0);
  if (length % 3 !== 0 || length > 768 || crc32(bytes.subarray(offset + 4, end)) !== stored)
    throw new OperatorError('IMAGE_CORRUPT', "the PNG's palette is damaged");
  return body;
}
