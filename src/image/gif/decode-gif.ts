/** GIF: the first frame on its canvas, as Pillow shows it (GIF89a specification). */
import { OperatorError } from '../../errors.ts';
import { copyBytes } from '../copy-bytes.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { decodeGifLzw } from './lzw.ts';

interface FirstFrame {
  /** Of the canvas; Pillow enlarges it where the frame sticks out. */
  readonly width: number;
  readonly height: number;
  readonly frame: { left: number; top: number; width: number; height: number };
  readonly interlaced: boolean;
  readonly palette: Uint8Array | undefined;
  /** The canvas is filled with this colour: the transparent one, or the first. */
  readonly background: number;
  /** Where the code size and the data blocks begin. */
  readonly start: number;
}

/** Rows in the order in which an interlaced image stores them: first row, step (appendix E). */
const interlacePasses = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

export const gifDecoder: ImageDecoder = {
  name: 'GIF',
  inspect(bytes) {
    const { width, height, frame } = readFirstFrame(bytes);
    const decodedBytes = 3 * width * height + frame.width * frame.height + bytes.length;
    return { width, height, decodedBytes };
  },
  decode(bytes): Pixels {
    const { width, height, frame, interlaced, palette, background, start } = readFirstFrame(bytes);
    const size = byteAt(bytes, start);
    if (size < 1 || size > 8)
      throw new OperatorError('IMAGE_CORRUPT', `a GIF code size of ${size} bits`);
    const indices = decodeGifLzw(joinBlocks(bytes, start + 1), size, frame.width * frame.height);
    const colours = new Uint8Array(768);
    // Without any palette the indices are levels of grey.
    colours.set(palette ?? colours.map((_, i) => Math.floor(i / 3)));
    const data = new Uint8Array(width * height * 3);
    const [red = 0, green = 0, blue = 0] = colours.subarray(3 * background);
    for (let to = 0; to < data.length; ) {
      data[to++] = red;
      data[to++] = green;
      data[to++] = blue;
    }
    let from = 0;
    for (const row of rowOrder(frame.height, interlaced)) {
      let to = ((frame.top + row) * width + frame.left) * 3;
      for (let x = 0; x < frame.width; x++) {
        const colour = 3 * (indices[from++] as number);
        data[to++] = colours[colour] as number;
        data[to++] = colours[colour + 1] as number;
        data[to++] = colours[colour + 2] as number;
      }
    }
    return { width, height, channels: 3, data };
  },
};

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined)
    throw new OperatorError('IMAGE_TRUNCATED', 'the GIF ends before its image data begins');
  return byte;
}

const uint16 = (bytes: Uint8Array, offset: number): number =>
  byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8);

function readFirstFrame(bytes: Uint8Array): FirstFrame {
  const flags = byteAt(bytes, 10);
  let offset = 13;
  const readPalette = (bits: number): Uint8Array | undefined => {
    if ((bits & 0x80) === 0) return undefined;
    const length = 3 << ((bits & 7) + 1);
    offset += length;
    byteAt(bytes, offset - 1);
    return bytes.subarray(offset - length, offset);
  };
  const globalPalette = readPalette(flags);
  let background = 0;
  for (;;) {
    const kind = byteAt(bytes, offset++);
    if (kind === 0x2c) break;
    if (kind === 0x3b) throw new OperatorError('IMAGE_CORRUPT', 'the GIF holds no image');
    if (kind !== 0x21) continue; // stray bytes, as Pillow does
    // The graphic control extension; its transparency is meant for the image that follows.
    if (byteAt(bytes, offset) === 0xf9 && (byteAt(bytes, offset + 2) & 1) !== 0)
      background = byteAt(bytes, offset + 5);
    offset += 1;
    for (let length = byteAt(bytes, offset); length > 0; length = byteAt(bytes, offset))
      offset += length + 1;
    offset += 1;
  }
  const frame = {
    left: uint16(bytes, offset),
    top: uint16(bytes, offset + 2),
    width: uint16(bytes, offset + 4),
    height: uint16(bytes, offset + 6),
  };
  const imageFlags = byteAt(bytes, offset + 8);
  offset += 9;
  // Pillow does not look at a palette that says no more than the indices do.
  const palette = [readPalette(imageFlags), globalPalette].find((one) => one && !isRamp(one));
  const width = Math.max(uint16(bytes, 6), frame.left + frame.width);
  const height = Math.max(uint16(bytes, 8), frame.top + frame.height);
  if (frame.width === 0 || frame.height === 0)
    throw new OperatorError('IMAGE_CORRUPT', 'the first frame of the GIF is empty');
  const interlaced = (imageFlags & 0x40) !== 0;
  return { width, height, frame, interlaced, palette, background, start: offset };
}

/** Whether entry i is the grey i. */
const isRamp = (palette: Uint8Array): boolean =>
  palette.every((value, i) => value === Math.floor(i / 3));

/** The data blocks of at most 255 bytes up to the empty one that ends them, or to the end of the file. */
function joinBlocks(bytes: Uint8Array, start: number): Uint8Array {
  const joined = new Uint8Array(bytes.length - Math.min(start, bytes.length));
  let length = 0;
  let offset = start;
  for (let size = bytes[offset] ?? 0; size > 0; size = bytes[offset] ?? 0) {
    length += copyBytes(bytes, offset + 1, offset + 1 + size, joined, length);
    offset += 1 + size;
  }
  return joined.subarray(0, length);
}

function* rowOrder(height: number, interlaced: boolean): Generator<number> {
  for (const [first, step] of interlaced ? interlacePasses : ([[0, 1]] as const))
    for (let row = first; row < height; row += step) yield row;
}
