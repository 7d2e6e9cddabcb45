/** WebP's RIFF container (RFC 9649): the size of the image, and the first frame of an animation as a file of its own. */
import { OperatorError } from '../../errors.ts';

export interface WebpImage {
  /** Of the canvas. */
  readonly width: number;
  readonly height: number;
  /** A still WebP file that holds the image, or the first frame. */
  readonly file: Uint8Array;
  /** Where on the canvas it goes, and how large it is. */
  readonly frame: { left: number; top: number; width: number; height: number };
}

interface Chunk {
  readonly type: string;
  readonly body: Uint8Array;
  /** With its header and padding. */
  readonly whole: Uint8Array;
}

const corrupt = (message: string): OperatorError => new OperatorError('IMAGE_CORRUPT', message);

/** @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT */
export function readWebp(bytes: Uint8Array): WebpImage {
  const end = 8 + uint(bytes, 4, 4);
  if (bytes.length < end)
    throw new OperatorError('IMAGE_TRUNCATED', 'the WebP is shorter than its header says');
  const chunks = bytes.subarray(12, end);
  const first = chunkAt(chunks, 0);
  if (!first) throw corrupt('the WebP holds no image');
  if (first.type !== 'VP8X') {
    const size = bitstreamSize(first);
    return { ...size, file: bytes, frame: { left: 0, top: 0, ...size } };
  }
  const width = uint(first.body, 4, 3) + 1;
  const height = uint(first.body, 7, 3) + 1;
  const animated = (uint(first.body, 0, 1) & 2) !== 0;
  const body = animated ? findChunk(chunks, 'ANMF')?.body : chunks.subarray(first.whole.length);
  if (!body) throw corrupt('the WebP animation has no frame');
  const frame = animated
    ? {
        left: uint(body, 0, 3) * 2,
        top: uint(body, 3, 3) * 2,
        width: uint(body, 6, 3) + 1,
        height: uint(body, 9, 3) + 1,
      }
    : { left: 0, top: 0, width, height };
  const inner = animated ? body.subarray(16) : body;
  const stream = findChunk(inner, 'VP8 ') ?? findChunk(inner, 'VP8L');
  if (!stream) throw corrupt('the WebP holds no image');
  const size = bitstreamSize(stream);
  // The size that the limits see must be the size that is decoded.
  if (size.width !== frame.width || size.height !== frame.height)
    throw corrupt('the WebP gives two different sizes');
  if (frame.left + frame.width > width || frame.top + frame.height > height)
    throw corrupt("the WebP animation's first frame does not lie within its canvas");
  const file = animated ? stillFile(frame, findChunk(inner, 'ALPH'), stream) : bytes;
  return { width, height, file, frame };
}

function uint(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) {
    const byte = bytes[offset + i];
    if (byte === undefined)
      throw new OperatorError('IMAGE_TRUNCATED', 'the WebP ends within its header');
    value = value * 256 + byte;
  }
  return value;
}

function chunkAt(bytes: Uint8Array, offset: number): Chunk | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const length = uint(bytes, offset + 4, 4);
  return {
    type: String.fromCharCode(...bytes.subarray(offset, offset + 4)),
    body: bytes.subarray(offset + 8, offset + 8 + length),
    whole: bytes.subarray(offset, offset + 8 + length + (length & 1)),
  };
}

/** Compares types as numbers: a file may have millions of chunks, and objects for each would cost seconds. */
function findChunk(bytes: Uint8Array, type: string): Chunk | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wanted = Buffer.from(type, 'latin1').readUInt32LE();
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    if (view.getUint32(offset, true) === wanted) return chunkAt(bytes, offset);
    const length = view.getUint32(offset + 4, true);
    offset += 8 + length + (length & 1);
  }
  return undefined;
}

/** Size by the bitstream itself: VP8's key frame header (RFC 6386, 9.1) or VP8L's (RFC 9649, 3.4). */
function bitstreamSize({ type, body }: Chunk): { width: number; height: number } {
  if (type === 'VP8 ' && uint(body, 3, 3) === 0x2a019d)
    return { width: uint(body, 6, 2) & 0x3fff, height: uint(body, 8, 2) & 0x3fff };
  if (type === 'VP8L' && uint(body, 0, 1) === 0x2f) {
    const bits = uint(body, 1, 4);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  throw corrupt("the WebP's image data is damaged");
}

function stillFile(
  frame: { width: number; height: number },
  alpha: Chunk | undefined,
  stream: Chunk,
): Uint8Array {
  const extended = Buffer.alloc(18);
  extended.write('VP8X', 'latin1');
  extended.writeUInt32LE(10, 4);
  extended[8] = 0x10; // alpha
  extended.writeUIntLE(frame.width - 1, 12, 3);
  extended.writeUIntLE(frame.height - 1, 15, 3);
  const chunks = alpha ? [extended, alpha.whole, stream.whole] : [stream.whole];
  const header = Buffer.from('RIFF????WEBP', 'latin1');
  header.writeUInt32LE(4 + chunks.reduce((sum, chunk) => sum + chunk.length, 0), 4);
  return Buffer.concat([header, ...chunks]);
}
