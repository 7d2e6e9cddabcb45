/** A picture made by code, so that `check` needs no file: a gradient sky, a disc and a striped field, as a PNG. */
import { crc32, deflateSync } from 'node:zlib';

const size = 256;

/** @returns a PNG of 256 × 256 RGB pixels, the same bytes for the same zlib */
export function samplePicture(): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB, deflate, adaptive filters, not interlaced
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows())),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Each row after a filter byte of 0, "none". */
function rows(): Buffer {
  const stride = 1 + size * 3;
  const bytes = Buffer.alloc(size * stride);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) bytes.set(pixel(x, y), y * stride + 1 + x * 3);
  }
  return bytes;
}

function pixel(x: number, y: number): [number, number, number] {
  if ((x - 176) ** 2 + (y - 72) ** 2 < 40 ** 2) return [250, 210, 60];
  if (y > 168) return ((x + y) >> 4) % 2 === 0 ? [60, 130, 50] : [110, 80, 40];
  return [40 + (y >> 1), 90 + (y >> 1), 220 - (x >> 3)];
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(typed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}
