/** JPEGs of any size without an encoder's memory: one row of blocks, encoded once and repeated. */
import { textureJpeg } from './pictures.ts';

export interface LargeJpegOptions {
  readonly width: number;
  /** A multiple of 16: a row of 4:2:0 blocks has that height. */
  readonly height: number;
  readonly seed?: number;
  /** Sets the file's size: of 100 megapixels, 60 gives about 20 MB and 95 about 55 MB. @default 60 */
  readonly quality?: number;
}

/**
 * With a restart marker after each row of blocks (ITU-T T.81, E.1.4) the rows do not depend on each other: so the first
 * one's data can stand for all of them.
 */
export async function largeJpeg(options: LargeJpegOptions): Promise<Uint8Array> {
  const { width, height, seed = 1, quality = 60 } = options;
  if (height % 16 !== 0)
    throw new RangeError(`a height of ${height}, which is not a multiple of 16`);
  const row = await textureJpeg({ width, height: 16, seed, quality });
  const scan = segmentOf(row, 0xda);
  const frame = segmentOf(row, 0xc0);
  const header = Buffer.from(row.subarray(0, scan.end));
  header.writeUInt16BE(height, frame.start + 5);
  const interval = Buffer.from([0xff, 0xdd, 0, 4, 0, 0]);
  interval.writeUInt16BE(Math.ceil(width / 16), 4);
  // Without the end-of-image marker.
  const data = row.subarray(scan.end, row.length - 2);
  const rows = Array.from({ length: height / 16 }, (_, i) => [
    ...(i === 0 ? [] : [Uint8Array.of(0xff, 0xd0 | ((i - 1) & 7))]),
    data,
  ]);
  return Buffer.concat([
    header.subarray(0, scan.start),
    interval,
    header.subarray(scan.start),
    ...rows.flat(),
    Uint8Array.of(0xff, 0xd9),
  ]);
}

/** Where the first segment with this marker begins, and where it ends. */
function segmentOf(jpeg: Uint8Array, marker: number): { start: number; end: number } {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.length);
  for (let at = 2; at < jpeg.length; ) {
    const end = at + 2 + view.getUint16(at + 2);
    if (jpeg[at + 1] === marker) return { start: at, end };
    at = end;
  }
  throw new Error(`no segment ff${marker.toString(16)}`);
}
