/**
 * PNG of every colour type and depth, as Pillow reads it. Not by a package: those found inflate without a bound (a small file
 * can ask for gigabytes, in its image data or its colour profile) and in JavaScript, and keep 16 bits where Pillow clips.
 */
import { constants, inflateSync } from 'node:zlib';
import { OperatorError } from '../../errors.ts';
import type { ExpandRow } from '../expand-row.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { readPngChunks } from './chunks.ts';
import { chooseExpansion } from './expand-row.ts';
import { type PngHeader, readPngHeader, rowBytes } from './header.ts';
import { unfilter } from './unfilter.ts';

/** The seven passes of Adam7 (PNG specification, 8.2): first column and row, then the steps between them. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface Pass {
  readonly width: number;
  readonly height: number;
  readonly place: (typeof adam7)[number] | undefined;
}

/** Bytes that some writers leave behind the image within the compressed stream; Pillow does not look at them. */
const surplus = 65536;

export const pngDecoder: ImageDecoder = {
  name: 'PNG',
  inspect(bytes) {
    const header = readPngHeader(bytes);
    const { width, height } = header;
    // The compressed data put together, the rows as stored, and the samples as they are wanted.
    const stored = height * (rowBytes(header, width) + 1);
    return { width, height, decodedBytes: bytes.length + stored + 3 * width * height };
  },
  decode(bytes): Pixels {
    const header = readPngHeader(bytes);
    const { width, height, interlaced } = header;
    const chunks = readPngChunks(bytes);
    const { channels, row } = chooseExpansion(header, chunks.palette);
    const step = Math.max(1, (header.samples * header.depth) >> 3);
    const passes = passesOf(header);
    const rows = inflate(
      chunks.data,
      passes.reduce((sum, pass) => sum + pass.height * (rowBytes(header, pass.width) + 1), 0),
    );
    if (!interlaced) {
      const length = rowBytes(header, width);
      unfilter(rows, 0, height, length, step);
      if (!row) return { width, height, channels, data: rows.subarray(0, height * length) };
      const data = new Uint8Array(width * height * channels);
      for (let y = 0; y < height; y++) row(rows, y * length, width, data, y * width * channels);
      return { width, height, channels, data };
    }
    const data = new Uint8Array(width * height * channels);
    let start = 0;
    for (const pass of passes) {
      const length = rowBytes(header, pass.width);
      unfilter(rows, start, pass.height, length, step);
      scatter(rows, start, length, pass, row, channels, data, width);
      start += pass.height * (length + 1);
    }
    return { width, height, channels, data };
  },
};

/** Passes without pixels are not stored at all, not even their filter bytes. */
function passesOf({ width, height, interlaced }: PngHeader): Pass[] {
  if (!interlaced) return [{ width, height, place: undefined }];
  return adam7
    .map((place) => ({
      width: Math.ceil((width - place[0]) / place[2]),
      height: Math.ceil((height - place[1]) / place[3]),
      place,
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

function scatter(
  rows: Uint8Array,
  start: number,
  length: number,
  { width, height, place }: Pass,
  expand: ExpandRow | undefined,
  channels: number,
  data: Uint8Array,
  fullWidth: number,
): void {
  const [left, top, stepX, stepY] = place ?? [0, 0, 1, 1];
  const line = new Uint8Array(width * channels);
  for (let y = 0; y < height; y++) {
    const from = start + y * length;
    if (expand) expand(rows, from, width, line, 0);
    else line.set(rows.subarray(from, from + line.length));
    let to = ((top + y * stepY) * fullWidth + left) * channels;
    for (let x = 0; x < width; x++, to += stepX * channels) {
      for (let c = 0; c < channels; c++) data[to + c] = line[x * channels + c] as number;
    }
  }
}

/** @throws OperatorError IMAGE_TRUNCATED if the stream holds less than `expected` bytes, IMAGE_CORRUPT if it is damaged */
function inflate(data: Uint8Array, expected: number): Uint8Array {
  let inflated: Uint8Array;
  try {
    inflated = inflateSync(data, {
      maxOutputLength: expected + surplus,
      // All at once; in smaller chunks they would be put together in the end, in twice the memory and time.
      chunkSize: expected + surplus,
      // Gives what there is of a stream that is cut off, instead of an error that does not say so.
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    // Also for a wrong checksum of the stream (Adler-32), which Pillow sees unless it is in a later chunk than the last pixel.
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError('IMAGE_CORRUPT', `the PNG's image data is damaged: ${reason}`);
  }
  if (inflated.length < expected)
    throw new OperatorError('IMAGE_TRUNCATED', 'the PNG ends before its image data does');
  return inflated;
}
