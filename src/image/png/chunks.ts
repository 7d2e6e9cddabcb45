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
 * Reads as Pillow does: up to the image data every checksum must be right, and the palette is what comes before them; the data
 * are the IDAT chunks that follow one another, whose checksums are not looked at, and end with any other chunk or with the file.
 * So frames of an animation (fdAT) are passed over: the IDAT chunks hold the first frame, or the image for viewers that do not
 * know animations.
 * @throws OperatorError IMAGE_CORRUPT, IMAGE_TRUNCATED
 */
export function readPngChunks(bytes: Uint8Array): PngChunks {
  let palette: Uint8Array | undefined;
  let dataLength = 0;
  let first: { start: number; end: number } | undefined;
  eachChunk(bytes, 8, (kind, start, end) => {
    if (kind === idat) {
      first ??= { start, end };
      // A chunk cut short ends the file; whether the image is whole is then for the decompressor to say.
      dataLength += Math.min(end, bytes.length) - start;
      return true;
    }
    if (first || kind === iend) return false;
    checkSum(bytes, start, end);
    if (kind === plte) palette = checkedPalette(bytes.subarray(start, end));
    return true;
  });
  if (!first) throw new OperatorError('IMAGE_TRUNCATED', 'the PNG holds no image data');
  const { start, end } = first;
  const whole = dataLength === Math.min(end, bytes.length) - start;
  const data = whole ? bytes.subarray(start, end) : joinData(bytes, start - 8, dataLength);
  return { palette, data };
}

/** Not from a list of the chunks: there may be millions, all but one of them empty. */
function joinData(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let to = 0;
  eachChunk(bytes, offset, (kind, start, end) => {
    if (kind === idat) to += copyBytes(bytes, start, end, joined, to);
    return kind === idat;
  });
  return joined;
}

/**
 * @param offset - where the first chunk begins
 * @param use - called with the chunk's type and where its body lies, the end may be beyond the file's; false stops
 */
function eachChunk(
  bytes: Uint8Array,
  offset: number,
  use: (kind: number, start: number, end: number) => boolean,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let seenData = false;
  for (let at = offset; at + 8 <= bytes.length; ) {
    const kind = view.getUint32(at + 4);
    if (!isName(kind)) {
      if (seenData) return;
      throw new OperatorError('IMAGE_CORRUPT', `the PNG is damaged at byte ${at}`);
    }
    seenData ||= kind === idat;
    const start = at + 8;
    const end = start + view.getUint32(at);
    if (!use(kind, start, end)) return;
    at = end + 4;
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

function checkSum(bytes: Uint8Array, start: number, end: number): void {
  if (bytes.length < end + 4)
    throw new OperatorError('IMAGE_TRUNCATED', 'the PNG ends before its image data begins');
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0);
  if (crc32(bytes.subarray(start - 4, end)) !== stored)
    throw new OperatorError(
      'IMAGE_CORRUPT',
      `the checksum of the PNG's chunk at byte ${start - 8} is wrong`,
    );
}

function checkedPalette(palette: Uint8Array): Uint8Array {
  if (palette.length % 3 !== 0 || palette.length > 768)
    throw new OperatorError('IMAGE_CORRUPT', "the PNG's palette is damaged");
  return palette;
}
