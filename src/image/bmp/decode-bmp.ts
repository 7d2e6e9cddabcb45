/**
 * BMP: with a palette (8 bits also in run lengths) or with 16, 24 or 32 bits per pixel, of the BITMAPINFOHEADER family and
 * OS/2's, as Pillow reads it.
 */
import { OperatorError } from '../../errors.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { bitsOfGrey, greyPalette } from './grey-palette.ts';
import { unpackRunLengths } from './run-lengths.ts';

type Masks = readonly [number, number, number];

interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  /** RLE8. */
  readonly runLengths: boolean;
  readonly bits: number;
  /** Where red, green and blue are within a pixel; undefined where they are bytes: blue, green, red. */
  readonly masks: Masks | undefined;
  /** BGR entries of `paletteStep` bytes. */
  readonly palette: Uint8Array;
  readonly paletteStep: number;
  readonly start: number;
  readonly rowLength: number;
}

const unsupported = (message: string): OperatorError =>
  new OperatorError(
    'IMAGE_UNSUPPORTED',
    `${message} is not supported; uncompressed BMP and RLE8 are`,
  );
/** Not RLE4: Pillow does not read it as it is defined. */
const compressions: Readonly<Record<number, string>> = {
  1: 'RLE8',
  2: 'RLE4',
  3: 'BITFIELDS',
  4: 'JPEG',
  5: 'PNG',
};

const corrupt = (message: string): OperatorError => new OperatorError('IMAGE_CORRUPT', message);

export const bmpDecoder: ImageDecoder = {
  name: 'BMP',
  inspect(bytes) {
    const { width, height, runLengths } = readHeader(bytes);
    return { width, height, decodedBytes: (runLengths ? 4 : 3) * width * height };
  },
  decode(bytes): Pixels {
    const header = readHeader(bytes);
    const { width, height, bits, topDown, runLengths, start, rowLength } = header;
    const rows = runLengths
      ? unpackRunLengths(bytes, start, width, width * height)
      : bytes.subarray(start);
    // The last row may be without its padding.
    if (rows.length < rowLength * (height - 1) + Math.ceil((width * bits) / 8))
      throw new OperatorError('IMAGE_TRUNCATED', 'the BMP ends before its image data does');
    const data = new Uint8Array(width * height * 3);
    const readRow = rowReader(header);
    for (let y = 0; y < height; y++) {
      const from = (topDown ? y : height - 1 - y) * rowLength;
      readRow(rows.subarray(from, from + rowLength), data.subarray(y * width * 3));
    }
    return { width, height, channels: 3, data };
  },
};

function readHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = bytes.length >= 18 ? view.getUint32(14, true) : 0;
  const known = [12, 40, 52, 56, 64, 108, 124].includes(size);
  if (bytes.length >= 18 && !known) throw corrupt('not a BMP file, though it begins with "BM"');
  if (bytes.length < 14 + size || bytes.length < 18)
    throw new OperatorError('IMAGE_TRUNCATED', 'the BMP ends within its header');
  const old = size === 12; // OS/2 1.x: smaller numbers, smaller palette entries
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const storedHeight = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? 0 : view.getUint32(30, true);
  const height = Math.abs(storedHeight);
  if (width <= 0 || height === 0) throw corrupt(`a BMP of ${width}×${storedHeight} pixels`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw unsupported(`BMP with ${bits} bits per pixel`);
  const masked = compression === 3 && bits >= 16;
  const runLengths = compression === 1 && bits === 8;
  if (compression !== 0 && !masked && !runLengths)
    throw unsupported(
      `BMP compression ${compressions[compression] ?? compression} of ${bits} bits per pixel`,
    );

  const paletteStart = 14 + size + (masked && size === 40 ? 12 : 0);
  const paletteStep = old ? 3 : 4;
  const colours = bits > 8 ? 0 : (!old && view.getUint32(46, true)) || 1 << bits;
  if (colours > 65536) throw corrupt(`a BMP palette of ${colours} colours`);
  const start = dataStart(view, paletteStart, colours * paletteStep);
  const palette = bytes.subarray(paletteStart, paletteStart + Math.min(colours, 256) * paletteStep);
  const rowLength = runLengths ? width : Math.ceil((width * bits) / 32) * 4;
  // Of run lengths in black and white, which Pillow refuses, the indices are bytes.
  const grey = bits <= 8 ? bitsOfGrey(palette, paletteStep, width, rowLength) : undefined;
  return {
    width,
    height,
    topDown: storedHeight < 0,
    runLengths,
    bits: runLengths ? bits : (grey ?? bits),
    masks: masked ? readMasks(view, bits) : defaultMasks[bits],
    palette: grey === 8 ? greyPalette(paletteStep) : palette,
    paletteStep,
    start,
    rowLength,
  };
}

/** Where the header gives no place, or one in front of the palette, Pillow takes what is behind it. */
function dataStart(view: DataView, paletteStart: number, paletteBytes: number): number {
  const stored = view.getUint32(10, true);
  if (stored === 0) return paletteStart + paletteBytes;
  const behindHeader = 14 + view.getUint32(14, true);
  return stored === behindHeader ? stored + paletteBytes : stored;
}

const defaultMasks: Readonly<Record<number, Masks>> = {
  16: [0x7c00, 0x3e0, 0x1f],
  32: [0xff0000, 0xff00, 0xff],
};

/** Pillow knows a few sets of masks and refuses the others. Those are read here: they say all that is needed. */
function readMasks(view: DataView, bits: number): Masks | undefined {
  if (view.byteLength < 66)
    throw new OperatorError('IMAGE_TRUNCATED', 'the BMP ends within its header');
  const masks = [54, 58, 62].map((offset) => view.getUint32(offset, true));
  if (bits === 32 && masks.every((mask) => mask === 0)) return defaultMasks[bits];
  if (masks.some((mask) => mask === 0)) throw corrupt('the BMP has an empty colour mask');
  return masks as unknown as Masks;
}

type RowReader = (row: Uint8Array, out: Uint8Array) => void;

function rowReader(header: BmpHeader): RowReader {
  if (header.bits <= 8) return paletteReader(header);
  const { bits, masks, width } = header;
  return masks ? maskReader(width, bits, masks) : (row, out) => copyBgr(row, out, width);
}

function copyBgr(row: Uint8Array, out: Uint8Array, width: number): void {
  for (let i = 0; i < 3 * width; i += 3) {
    out[i] = row[i + 2] as number;
    out[i + 1] = row[i + 1] as number;
    out[i + 2] = row[i] as number;
  }
}

/** Indices beyond the palette are black. */
function paletteReader({ width, bits, palette, paletteStep }: BmpHeader): RowReader {
  const mask = (1 << bits) - 1;
  return (row, out) => {
    for (let x = 0, bit = 0; x < width; x++, bit += bits) {
      const index = ((row[bit >> 3] as number) >> (8 - bits - (bit & 7))) & mask;
      out[3 * x] = palette[index * paletteStep + 2] ?? 0;
      out[3 * x + 1] = palette[index * paletteStep + 1] ?? 0;
      out[3 * x + 2] = palette[index * paletteStep] ?? 0;
    }
  };
}

function maskReader(width: number, bits: number, masks: Masks): RowReader {
  const bytes = bits / 8;
  const fields = masks.map((mask) => {
    const shift = 31 - Math.clz32(mask & -mask);
    return { mask, shift, largest: mask >>> shift };
  });
  return (row, out) => {
    for (let x = 0, to = 0; x < width; x++) {
      let pixel = 0;
      for (let i = bytes - 1; i >= 0; i--) pixel = (pixel << 8) | (row[x * bytes + i] as number);
      for (const { mask, shift, largest } of fields)
        out[to++] = Math.floor((((pixel & mask) >>> shift) * 255) / largest);
    }
  };
}
