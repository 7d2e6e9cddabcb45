/** What the contract's clients send: small pictures, and one that makes a message of 60 MB. */
import { crc32, deflateSync } from 'node:zlib';
import { texturePng } from '../support/pictures.ts';

/** A small picture as base64 text; another one for another seed. */
export const smallPicture = (seed: number): string =>
  Buffer.from(texturePng({ width: 24, height: 16, seed })).toString('base64');

/** A PNG of noise-free but unpacked pixels whose base64 text has 60 MB and a little. */
export function largePicture(): string {
  const width = 4000;
  const height = 3750;
  const row = Buffer.alloc(1 + 3 * width);
  for (let i = 1; i < row.length; i++) row[i] = (i * 7) & 0xff;
  const rows = Buffer.concat(Array<Buffer>(height).fill(row));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // 8 bits, RGB.
  head.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]).toString('base64');
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Euclidean length; 1 for what an operator answers. */
export const norm = (vector: readonly number[]): number => Math.hypot(...vector);
