/** A PNG writer for tests: every colour type, depth, filter and interlacing, and whatever should be wrong with the file. */
import { crc32, deflateSync } from 'node:zlib';

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  readonly interlaced?: boolean;
  /** Sample `c` of pixel `x`, `y`, in `depth` bits. */
  sample(x: number, y: number, c: number): number;
  /** The filter of each row. @default none */
  filter?(row: number): number;
  /** Chunks before the image data, already made. */
  readonly before?: readonly Uint8Array[];
  /** Bytes of each IDAT chunk. @default all in one */
  readonly split?: number;
}

const samplesOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function chunk(type: string, body: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([ends.subarray(0, 4), typed, ends.subarray(4)]);
}

export function header(options: PngOptions): Buffer {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(options.width, 0);
  body.writeUInt32BE(options.height, 4);
  body.set([options.depth, options.colourType, 0, 0, options.interlaced ? 1 : 0], 8);
  return chunk('IHDR', body);
}

/** A PNG file around a zlib stream. */
export function wrap(options: PngOptions, stream: Uint8Array): Buffer {
  const split = options.split ?? stream.length;
  const data: Buffer[] = [];
  for (let at = 0; at < stream.length; at += split)
    data.push(chunk('IDAT', stream.subarray(at, at + split)));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const end = chunk('IEND', Buffer.alloc(0));
  return Buffer.concat([signature, header(options), ...(options.before ?? []), ...data, end]);
}

export const writePng = (options: PngOptions): Buffer =>
  wrap(options, deflateSync(rawRows(options)));

export function rawRows(options: PngOptions): Buffer {
  const passes = options.interlaced ? adam7 : ([[0, 0, 1, 1]] as const);
  const samples = samplesOf[options.colourType];
  const step = Math.max(1, (samples * options.depth) >> 3);
  const out: number[] = [];
  for (const [left, top, stepX, stepY] of passes) {
    let above: number[] = [];
    for (let y = top, row = 0; y < options.height; y += stepY, row++) {
      const bits: number[] = [];
      for (let x = left; x < options.width; x += stepX)
        for (let c = 0; c < samples; c++)
          for (let bit = options.depth - 1; bit >= 0; bit--)
            bits.push((options.sample(x, y, c) >> bit) & 1);
      if (bits.length === 0) continue;
      const line: number[] = [];
      for (let at = 0; at < bits.length; at += 8)
        line.push(
          Number.parseInt(
            bits
              .slice(at, at + 8)
              .join('')
              .padEnd(8, '0'),
            2,
          ),
        );
      const filter = options.filter?.(row) ?? 0;
      out.push(filter, ...line.map((byte, i) => byte - predict(filter, line, above, i, step)));
      above = line;
    }
  }
  return Buffer.from(out.map((byte) => byte & 255));
}

/** The PNG specification's 9.2, written for reading. */
function predict(filter: number, line: number[], above: number[], i: number, step: number): number {
  const a = line[i - step] ?? 0;
  const b = above[i] ?? 0;
  const c = i >= step ? (above[i - step] ?? 0) : 0;
  if (filter === 1) return a;
  if (filter === 2) return b;
  if (filter === 3) return Math.floor((a + b) / 2);
  if (filter !== 4) return 0;
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}
