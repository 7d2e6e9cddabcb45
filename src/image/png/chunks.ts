/** PNG's chunks: finding the palette and the compressed image data. */
import { crc32 } from 'node:zlib';
import { OperatorError } from '../../errors.ts';
import { copyBytes } from '../copy-bytes.ts';

export interface PngChunks {
  /** RGB triples. */
  readonly palette: Uint8Array | undefined;
  /** The zlib stream, put together if it is spread over several IDAT chunks. */
  readonly data: Uint8Array;
}

/** Types as big-endian numbers: a file may have millions of chunks, and text for each would cost seconds. */
const type = (name: string): number => Buffer.from(name, 'latin1').readUInt32BE();
const [idat, plte, iend] = [type('IDAT'), type('PLTE'), type('IEND')];

/**
 * Stops at IEND or, as Pillow does, where the chunks end without one. Frames of an animation (fdAT) are passed over: the
 * IDAT chunks hold the first frame, or the image for viewers that do not know animations.
 * @throws OperatorError IMAGE_CORRUPT, IMAGE_TRUNCATED
 */
export function readPngChunks(bytes: Uint8Array): PngChunks {
  let palette: Uint8Array | undefined;
  let dataLength = 0;
  let first: Uint8Array | undefined;
  eachChunk(bytes, (kind, start, end) => {
    if (kind === plte) palette = checkedPalette(bytes, start, end);
    // A chunk cut short ends the file; whether the image is whole is then for the decompressor to say.
    if (kind !== idat) return;
    first ??= bytes.subarray(start, end);
    dataLength += Math.min(end, bytes.length) - start;
  });
  if (!first) throw new OperatorError('IMAGE_TRUNCATED', 'the PNG holds no image data');
  const data = dataLength === first.length ? first : joinData(bytes, dataLength);
  return { palette, data };
}

/** Not from a list of the chunks: there may be millions, all but one of them empty. */
function joinData(bytes: Uint8Array, length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let to = 0;
  eachChunk(bytes, (kind, start, end) => {
    if (kind === idat) to += copyBytes(bytes, start, end, joined, to);
  });
  return joined;
}

/** @param use - called with the chunk's type and where its body lies; the end may be beyond the file's */
function eachChunk(
  bytes: Uint8Array,
  use: (kind: number, start: number, end: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let seenData = false;
  for (let offset = 8; offset + 8 <= bytes.length; ) {
    const kind = view.getUint32(offset + 4);
    if (!isName(kind)) {
      if (seenData) return;
      throw new OperatorError('IMAGE_CORRUPT', `the PNG is damaged at byte ${offset}`);
    }
    if (kind === iend) return;
    seenData ||= kind === idat;
    const start = offset + 8;
    const end = start + view.getUint32(offset);
    use(kind, start, end);
    offset = end + 4;
  }
}

/** Four letters. */
function isName(kind: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const lower = ((kind >>> shift) & 0xff) | 0x20;
    if (lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}

function checkedPalette(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (bytes.length < end + 4)
    throw new OperatorError('IMAGE_TRUNCATED', 'the PNG ends within its palette');
  const length = end - start;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0);
  if (length % 3 !== 0 || length > 768 || crc32(bytes.subarray(start - 4, end)) !== stored)
    throw new OperatorError('IMAGE_CORRUPT', "the PNG's palette is damaged");
  return bytes.subarray(start, end);
}
