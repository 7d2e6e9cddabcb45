/** A strip or tile of a TIFF, unpacked: rows of samples as they were before compression, pixel by pixel. */
import { OperatorError } from '../../errors.ts';
import type { TiffDirectory } from './directory.ts';
import { unpackStrip } from './unpack-strip.ts';

/** Bytes of one row of a block of `samples` samples a pixel. */
export const blockRowBytes = ({ blocks, depth }: TiffDirectory, samples: number): number =>
  Math.ceil((blocks.width * samples * depth) / 8);

/**
 * @param index - number of the block, of those of one plane
 * @param rows - how many of its rows are wanted
 * @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT
 */
export function readBlock(
  bytes: Uint8Array,
  directory: TiffDirectory,
  index: number,
  rows: number,
): Uint8Array {
  const { samples, separate, blocks, height, depth } = directory;
  // Pillow garbles uncompressed planes of one sample, or of 16 bits; here they are read as they are defined.
  if (!separate) return readPlane(bytes, directory, index, samples, rows);
  const perPlane = blocks.across * Math.ceil(height / blocks.height);
  const [pixels, step] = [blocks.width * rows, depth / 8];
  const whole = new Uint8Array(pixels * samples * step);
  for (let sample = 0; sample < samples; sample++) {
    const plane = readPlane(bytes, directory, sample * perPlane + index, 1, rows);
    let to = sample * step;
    for (let from = 0; from < plane.length; from += step, to += samples * step)
      for (let i = 0; i < step; i++) whole[to + i] = plane[from + i] as number;
  }
  return whole;
}

function readPlane(
  bytes: Uint8Array,
  directory: TiffDirectory,
  index: number,
  samples: number,
  rows: number,
): Uint8Array {
  const { blocks, compression, reversed, differences } = directory;
  const rowBytes = blockRowBytes(directory, samples);
  const size = rows * rowBytes;
  const offset = blocks.offset(index);
  // The size of an uncompressed block is known; what the file says of it is not looked at, as by Pillow. A compressed one has
  // no use for more than twice that: LZW makes 12 bits of a byte at worst, and many blocks may share the same long nothing.
  const length = compression === 'none' ? size : Math.min(blocks.bytes(index), 2 * size + 1024);
  const packed = bytes.subarray(offset, offset + length);
  const whole = blocks.height * rowBytes;
  const strip = reversed ? reverseBits(packed) : packed;
  const block = unpackStrip(strip, compression, size, whole);
  if (block.length < size)
    throw new OperatorError('IMAGE_TRUNCATED', 'the TIFF ends before its image data does');
  if (differences) undoDifferences(block, rowBytes, samples, directory);
  return block;
}

const reversedByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  const halves = ((byte & 0x0f) << 4) | (byte >> 4);
  const quarters = ((halves & 0x33) << 2) | ((halves >> 2) & 0x33);
  return ((quarters & 0x55) << 1) | ((quarters >> 1) & 0x55);
});

function reverseBits(bytes: Uint8Array): Uint8Array {
  const reversed = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) reversed[i] = reversedByte[bytes[i]!]!;
  return reversed;
}

/** Predictor 2, of 8 or 16 bits. */
function undoDifferences(
  block: Uint8Array,
  rowBytes: number,
  samples: number,
  { depth, littleEndian }: TiffDirectory,
): void {
  if (depth === 8) {
    for (let row = 0; row < block.length; row += rowBytes)
      for (let i = row + samples; i < row + rowBytes; i++)
        block[i] = (block[i] as number) + (block[i - samples] as number);
    return;
  }
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  for (let row = 0; row < block.length; row += rowBytes)
    for (let i = row + 2 * samples; i < row + rowBytes; i += 2) {
      const left = view.getUint16(i - 2 * samples, littleEndian);
      view.setUint16(i, left + view.getUint16(i, littleEndian), littleEndian);
    }
}
