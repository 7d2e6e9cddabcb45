/** Files that are small and say that they are huge. */
import { crc32 } from 'node:zlib';
import { textureJpeg } from '../../support/pictures.ts';

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const result = Buffer.alloc(body.length + 8);
  result.writeUInt32BE(data.length);
  result.set(body, 4);
  result.writeUInt32BE(crc32(body), body.length + 4);
  return result;
}

/** 65536 × 65536, RGBA, 16 bits. */
export function pngBomb(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(65_536, 0);
  header.writeUInt32BE(65_536, 4);
  header.set([16, 6, 0, 0, 0], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.alloc(1000)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** 65500 × 65500. */
export async function jpegBomb(): Promise<Buffer> {
  const file = Buffer.from(await textureJpeg({ width: 16, height: 16, seed: 1 }));
  const frame = file.indexOf(Buffer.of(0xff, 0xc0));
  file.writeUInt16BE(65_500, frame + 5);
  file.writeUInt16BE(65_500, frame + 7);
  return file;
}

/** 65535 × 65535, one frame of that size. */
export function gifBomb(): Buffer {
  const file = Buffer.alloc(64);
  file.write('GIF89a', 'latin1');
  file.writeUInt16LE(65_535, 6);
  file.writeUInt16LE(65_535, 8);
  file.writeUInt8(0x2c, 13);
  file.writeUInt16LE(65_535, 18);
  file.writeUInt16LE(65_535, 20);
  file.set([2, 2, 0x4c, 1, 0, 0x3b], 23);
  return file;
}

/** 60000 × 60000, 24 bits. */
export function bmpBomb(): Buffer {
  const file = Buffer.alloc(200);
  file.write('BM', 'latin1');
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(60_000, 18);
  file.writeInt32LE(60_000, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}

/** 60000 × 60000, grey, 8 bits, one strip; its directory lies at the end, out of the first bytes' sight. */
export function tiffBomb(): Buffer {
  const entries: [tag: number, type: number, value: number][] = [
    [256, 4, 60_000],
    [257, 4, 60_000],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, 60_000],
    [279, 4, 1000],
  ];
  const at = 200_000;
  const file = Buffer.alloc(at + 2 + 12 * entries.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(at, 4);
  file.writeUInt16LE(entries.length, at);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const to = at + 2 + 12 * i;
    file.writeUInt16LE(tag, to);
    file.writeUInt16LE(type, to + 2);
    file.writeUInt32LE(1, to + 4);
    file.writeUInt32LE(value, to + 8);
  }
  return file;
}

/** 16384 × 16384, as its extended header says. */
export function webpBomb(): Buffer {
  const header = Buffer.alloc(10);
  header.writeUIntLE(16_383, 4, 3);
  header.writeUIntLE(16_383, 7, 3);
  const riff = (type: string, data: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data]);
  };
  const frame = Buffer.from([0x2f, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0]);
  const body = Buffer.concat([Buffer.from('WEBP'), riff('VP8X', header), riff('VP8L', frame)]);
  return riff('RIFF', body);
}

export const bombs: Readonly<Record<string, () => Buffer | Promise<Buffer>>> = {
  'a PNG of 65536×65536': pngBomb,
  'a JPEG of 65500×65500': jpegBomb,
  'a GIF of 65535×65535': gifBomb,
  'a BMP of 60000×60000': bmpBomb,
  'a TIFF of 60000×60000': tiffBomb,
  'a WebP of 16384×16384': webpBomb,
};
