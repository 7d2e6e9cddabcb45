/** Files of some megabytes that consist of very many very small pieces. */
import { crc32 } from 'node:zlib';
import { textureJpeg } from '../../support/pictures.ts';

const megabytes = 6_000_000;

/** As many times `piece` as fit. */
const repeat = (piece: Uint8Array, bytes = megabytes): Buffer =>
  Buffer.alloc(Math.floor(bytes / piece.length) * piece.length, piece);

/** An image of 16×16, its header and then nothing but empty IDAT chunks. */
function pngOfEmptyChunks(): Buffer {
  const header = Buffer.from('IHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0', 'latin1');
  const head = Buffer.alloc(33);
  head.write('\x89PNG\r\n\x1a\n\0\0\0\x0d', 'latin1');
  head.set(header, 12);
  head.writeUInt32BE(crc32(header), 29);
  return Buffer.concat([head, repeat(Buffer.from('\0\0\0\0IDAT\0\0\0\0', 'latin1'))]);
}

async function jpegOfSegments(bytes: number): Promise<Buffer> {
  const jpeg = await textureJpeg({ width: 16, height: 16, seed: 1 });
  const segments = repeat(Buffer.of(0xff, 0xe1, 0, 2), bytes);
  return Buffer.concat([jpeg.subarray(0, 2), segments, jpeg.subarray(2)]);
}

/** 100×100, its data in blocks of one byte. */
function gifOfBlocks(): Buffer {
  const head = Buffer.alloc(24);
  head.write('GIF89a', 'latin1');
  head[13] = 0x2c;
  head.writeUInt16LE(100, 18);
  head.writeUInt16LE(100, 20);
  head[23] = 7;
  return Buffer.concat([head, repeat(Buffer.of(1, 0x80))]);
}

function webpOfChunks(): Buffer {
  const head = Buffer.alloc(30);
  head.write('RIFF????WEBPVP8X', 'latin1');
  head.writeUInt32LE(10, 16);
  const file = Buffer.concat([head, repeat(Buffer.from('JUNK\0\0\0\0', 'latin1'))]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}

/** @param entries - type, number of values, value or place, by tag */
function tiff(entries: readonly (readonly [number, number, number, number])[]): Buffer {
  const file = Buffer.alloc(megabytes, 8);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

/** Every tag has as many values as the file has bytes. */
const tiffOfValues = (): Buffer => {
  const many = megabytes - 200;
  return tiff([
    [256, 1, many, 200],
    [257, 1, many, 200],
    [258, 1, many, 200],
    [262, 3, 1, 1],
    [273, 4, 1, megabytes],
    [277, 3, 1, 1],
    [279, 1, many, 200],
  ]);
};

/** A strip for each pixel, all at the same place. */
const tiffOfStrips = (): Buffer => {
  const many = megabytes - 200;
  return tiff([
    [256, 3, 1, 1],
    [257, 4, 1, many],
    [258, 3, 1, 8],
    [259, 3, 1, 5],
    [262, 3, 1, 1],
    [273, 1, many, 200],
    [277, 3, 1, 1],
    [278, 3, 1, 1],
    [279, 1, many, 200],
  ]);
};

interface File {
  readonly file: Buffer;
  readonly message: RegExp;
}

export const pieces: Readonly<Record<string, () => Promise<File> | File>> = {
  'a PNG of empty chunks': () => ({ file: pngOfEmptyChunks(), message: /PNG ends before/ }),
  'a JPEG of empty segments': async () => ({
    file: await jpegOfSegments(megabytes),
    message: /segments; at most 5000 are/,
  }),
  'a small JPEG of empty segments': async () => ({
    file: await jpegOfSegments(160_000),
    message: /40005 segments; at most 5000 are/,
  }),
  'a GIF of blocks of one byte': () => ({ file: gifOfBlocks(), message: /GIF ends before/ }),
  'a WebP of empty chunks': () => ({ file: webpOfChunks(), message: /WebP holds no image/ }),
  'a TIFF of tags with millions of values': () => ({
    file: tiffOfValues(),
    message: /TIFF ends before/,
  }),
  'a TIFF of strips of one pixel': () => ({
    file: tiffOfStrips(),
    message: /5999800 strips \(at most 100000 are/,
  }),
};
