/** TIFF: 8-bit grey, palette, RGB and RGBA in strips. A first page only; what else TIFF can be is refused by name. */
import { OperatorError } from '../../errors.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { compressions, readTiffDirectory, type TiffDirectory } from './directory.ts';
import { unpackStrip } from './unpack-strip.ts';

export const tiffDecoder: ImageDecoder = {
  name: 'TIFF',
  inspect(bytes) {
    const { width, height, samples } = readTiffDirectory(bytes);
    return { width, height, decodedBytes: (2 * samples + 3) * width * height };
  },
  decode(bytes): Pixels {
    const directory = readTiffDirectory(bytes);
    const { width, height, samples, photometric } = directory;
    const data = readStrips(bytes, directory);
    if (photometric === 0) for (const [i, value] of data.entries()) data[i] = 255 - value;
    if (photometric === 3) return { width, height, channels: 3, data: lookUp(data, directory) };
    return { width, height, channels: samples as 1 | 3 | 4, data };
  },
};

function readStrips(bytes: Uint8Array, directory: TiffDirectory): Uint8Array {
  const { width, height, samples, rowsPerStrip, stripOffsets, stripBytes } = directory;
  const rowLength = width * samples;
  const data = new Uint8Array(rowLength * height);
  const compression = compressions[directory.compression] ?? '';
  for (let row = 0, i = 0; row < height; row += rowsPerStrip, i++) {
    const size = Math.min(rowsPerStrip, height - row) * rowLength;
    const offset = stripOffsets[i] ?? bytes.length;
    const packed = bytes.subarray(offset, offset + (stripBytes[i] ?? size));
    const strip = unpackStrip(packed, compression, size);
    if (strip.length < size)
      throw new OperatorError('IMAGE_TRUNCATED', 'the TIFF ends before its image data does');
    if (directory.predictor === 2) undoDifferences(strip, rowLength, samples);
    data.set(strip, row * rowLength);
  }
  return data;
}

/** Predictor 2: each sample is stored as its difference from the pixel to its left. */
function undoDifferences(strip: Uint8Array, rowLength: number, samples: number): void {
  for (let row = 0; row < strip.length; row += rowLength) {
    for (let i = row + samples; i < row + rowLength; i++)
      strip[i] = (strip[i] as number) + (strip[i - samples] as number);
  }
}

/** Of the palette's 16 bits Pillow takes the upper 8. */
function lookUp(indices: Uint8Array, { palette }: TiffDirectory): Uint8Array {
  const colours = palette.length / 3;
  const rgb = new Uint8Array(indices.length * 3);
  for (const [i, index] of indices.entries()) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = (palette[c * colours + index] ?? 0) >> 8;
  }
  return rgb;
}
