import { expect, test } from 'bun:test';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { readPngChunks } from '../../src/image/png/chunks.ts';
import { fastest } from '../support/fastest.ts';
import { texture, textureJpeg, texturePng } from '../support/pictures.ts';
import { chunk, type PngOptions, rawRows, wrap, writePng } from './png-writer.ts';
import { decode, expectFailure, rgbOf } from './support.ts';

/** 8-bit RGB of a sample as Pillow has it: 16-bit grey clips, other 16-bit samples lose their lower half. */
function expected(options: PngOptions, palette: Uint8Array): Uint8Array {
  const { width, height, depth, colourType, sample } = options;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        const value = sample(x, y, colourType === 2 || colourType === 6 ? c : 0);
        if (colourType === 3) rgb[to++] = palette[3 * value + c] ?? 0;
        else if (depth === 16) rgb[to++] = colourType === 0 ? Math.min(value, 255) : value >> 8;
        else rgb[to++] = (value * 255) / (2 ** depth - 1);
      }
  return rgb;
}

const kinds = [
  ...[1, 2, 4, 8, 16].map((depth) => ({ colourType: 0, depth })),
  ...[8, 16].flatMap((depth) => [2, 4, 6].map((colourType) => ({ colourType, depth }))),
  ...[1, 2, 4, 8].map((depth) => ({ colourType: 3, depth })),
] as Pick<PngOptions, 'colourType' | 'depth'>[];

for (const kind of kinds)
  test(`PNG, colour type ${kind.colourType} with ${kind.depth} bits has the pixels that were written`, async () => {
    const size = fc.integer({ min: 1, max: 19 });
    const property = fc.asyncProperty(
      size,
      size,
      fc.boolean(),
      fc.infiniteStream(fc.nat(0xffff)),
      fc.integer({ min: 0, max: 5 }),
      async (width, height, interlaced, stream, filter) => {
        const values = [...stream.take(width * height * 4)];
        // 16-bit samples are small now and then, so that clipping shows.
        const mask = (2 ** kind.depth - 1) & ((values[0] ?? 0) & 1 ? 0xffff : 0x1ff);
        const palette = new Uint8Array(3 * 2 ** kind.depth).map(
          (_, i) => values[i % values.length] ?? 0,
        );
        const options: PngOptions = {
          ...kind,
          width,
          height,
          interlaced,
          sample: (x, y, c) => (values[(y * width + x) * 4 + c] ?? 0) & mask,
          filter: (row) => (filter === 5 ? row % 5 : filter),
          before:
            kind.colourType === 3
              ? [chunk('PLTE', palette), chunk('tRNS', palette.subarray(1, 3))]
              : [],
          split: 7,
        };
        const pixels = await decode(writePng(options));
        expect([pixels.width, pixels.height]).toEqual([width, height]);
        expect(Buffer.from(rgbOf(pixels)).equals(Buffer.from(expected(options, palette)))).toBe(
          true,
        );
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

const grey: PngOptions = {
  width: 40,
  height: 30,
  depth: 8,
  colourType: 0,
  sample: (x, y) => (x * y) & 255,
};

test('PNG, an independent writer is read alike', async () => {
  const options = { width: 61, height: 47, seed: 3 };
  expect(rgbOf(await decode(texturePng(options)))).toEqual(texture(options));
});

test('PNG, indices beyond the palette are black', async () => {
  const options: PngOptions = {
    ...grey,
    colourType: 3,
    sample: (x) => x & 1,
    before: [chunk('PLTE', new Uint8Array([1, 2, 3]))],
  };
  expect([...rgbOf(await decode(writePng(options))).subarray(0, 6)]).toEqual([1, 2, 3, 0, 0, 0]);
});

test('PNG, any cut within the image data is an error', async () => {
  const png = texturePng({ width: 50, height: 40, seed: 1 });
  const dataEnds =
    Buffer.from(png).lastIndexOf('IDAT') +
    4 +
    new DataView(png.buffer, png.byteOffset).getUint32(Buffer.from(png).lastIndexOf('IDAT') - 4);
  for (let length = 16; length < dataEnds - 8; length += 97)
    await expectFailure('IMAGE_TRUNCATED', /PNG (ends|holds no image data)/, () =>
      decode(png.subarray(0, length)),
    );
});

test('PNG, without its end chunk is read, as by Pillow', async () => {
  const png = writePng(grey);
  expect(rgbOf(await decode(png.subarray(0, -12)))).toEqual(rgbOf(await decode(png)));
});

test('PNG, a complete stream with too few rows is truncated', () =>
  expectFailure('IMAGE_TRUNCATED', /PNG ends/, () =>
    decode(wrap(grey, deflateSync(rawRows(grey).subarray(0, -41)))),
  ));

test('PNG, surplus rows are not looked at', async () => {
  const rows = rawRows(grey);
  const png = wrap(grey, deflateSync(Buffer.concat([rows, rows.subarray(0, 200)])));
  expect(rgbOf(await decode(png))).toEqual(rgbOf(await decode(writePng(grey))));
});

test('PNG, a stream that inflates to gigabytes is stopped at the size of the image', async () => {
  const stream = deflateSync(Buffer.alloc(200_000_000), { level: 1 });
  const bomb = wrap(grey, stream);
  const whole = await fastest(2, () => inflateSync(stream));
  const stopped = await fastest(3, () =>
    expectFailure('IMAGE_CORRUPT', /damaged/, () => decode(bomb)),
  );
  expect(stopped).toBeLessThan(whole / 5);
});

test('PNG, empty chunks without end are passed over, and the data put together from the others', async () => {
  const plain = writePng({ ...grey, split: 7 });
  const at = plain.indexOf('IDAT') - 4;
  const empty = Buffer.alloc(12 * 100_000, chunk('IDAT', Buffer.alloc(0)));
  const many = Buffer.concat([plain.subarray(0, at), empty, plain.subarray(at)]);
  expect(rgbOf(await decode(many))).toEqual(rgbOf(await decode(plain)));
  expect(readPngChunks(many)).toEqual(readPngChunks(plain));
});

const damaged: [string, RegExp, Buffer][] = [
  ['no palette', /no palette/, writePng({ ...grey, colourType: 3 })],
  [
    'a palette of no whole colours',
    /palette is damaged/,
    writePng({ ...grey, colourType: 3, before: [chunk('PLTE', new Uint8Array(4))] }),
  ],
  ['filter 5', /row filter 5/, writePng({ ...grey, filter: () => 5 })],
  [
    'a depth that its colour type has not',
    /colour type 2 with 4 bits/,
    writePng({ ...grey, colourType: 2, depth: 4, sample: () => 1 }),
  ],
  [
    'a wrong checksum of a chunk before its data',
    /chunk at byte 33 is wrong/,
    flip(writePng({ ...grey, before: [chunk('teSt', new Uint8Array(3))] }), 42),
  ],
  ['an unknown filter method', /filter method/, withMethod(11, 1)],
  ['a width of 0', /0×30/, writePng({ ...grey, width: 0 })],
  ['a wrong checksum of its header', /checksum/, flip(writePng(grey), 20)],
  ['damaged image data', /damaged/, flip(writePng(grey), 60)],
];
for (const [what, message, bytes] of damaged)
  test(`PNG, ${what} is corrupt`, () =>
    expectFailure('IMAGE_CORRUPT', message, () => decode(bytes)));

/** @param at - which byte of the header chunk's body */
function withMethod(at: number, value: number, png: Buffer = writePng(grey)): Buffer {
  const body = Buffer.from(png.subarray(16, 29));
  body[at] = value;
  return Buffer.concat([png.subarray(0, 8), chunk('IHDR', body), png.subarray(33)]);
}

test('PNG, any interlace method but 0 is Adam7, as in Pillow', async () => {
  const png = writePng({ ...grey, interlaced: true });
  expect(rgbOf(await decode(withMethod(12, 7, png)))).toEqual(rgbOf(await decode(png)));
});

test('PNG, image data behind another chunk are not looked at, as by Pillow', async () => {
  const png = writePng({ ...grey, split: 30 });
  const second = png.indexOf('IDAT', png.indexOf('IDAT') + 4) - 4;
  const text = chunk('tEXt', Buffer.from('a\0b', 'latin1'));
  const apart = Buffer.concat([png.subarray(0, second), text, png.subarray(second)]);
  await expectFailure('IMAGE_TRUNCATED', /ends before its image data does/, () => decode(apart));
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 0x7f;
  return bytes;
}

test('PNG, an animation gives its default image', async () => {
  const frame = { ...grey, sample: (x: number) => x };
  const frameData = Buffer.concat([Buffer.alloc(4), deflateSync(rawRows(frame))]);
  const plain = writePng(grey);
  const animated = Buffer.concat([
    plain.subarray(0, -12),
    chunk('fdAT', frameData),
    plain.subarray(-12),
  ]);
  expect(rgbOf(await decode(animated))).toEqual(rgbOf(await decode(plain)));
});

test('format, by content: a JPEG is a JPEG whatever follows it', async () => {
  const jpeg = await textureJpeg({ width: 20, height: 10, seed: 1 });
  const pixels = await decode(Buffer.concat([jpeg, writePng(grey)]));
  expect([pixels.width, pixels.height]).toEqual([20, 10]);
});
