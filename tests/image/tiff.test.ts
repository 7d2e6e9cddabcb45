/** TIFF that is refused, and TIFF that asks for more than it is worth; what is read: pillow.test.ts. */
import { expect, test } from 'bun:test';
import { deflateSync } from 'node:zlib';
import { fastest } from '../support/fastest.ts';
import { decode, decoders, expectFailure, rgbOf } from './support.ts';
import { bodyStart, packLzw, type TiffEntry, writeTiff } from './tiff-writer.ts';

const row = new Uint8Array([10, 20, 30, 40]);

const refused: [string, RegExp, Record<number, TiffEntry>][] = [
  ['JPEG inside', /compression 7 is not supported; grey, palette/, { 259: [3, 1, 7] }],
  ['fax compression', /compression 4/, { 259: [3, 1, 4] }],
  ['YCbCr', /photometric interpretation 6/, { 262: [3, 1, 6] }],
  ['floating point', /sample format 3/, { 258: [3, 1, 32], 339: [3, 1, 3] }],
  ['32 bits', /1 grey samples of 32 bits/, { 258: [3, 1, 32] }],
  ['16 bits, white is zero', /white is zero samples of 16/, { 258: [3, 1, 16], 262: [3, 1, 0] }],
  ['premultiplied alpha', /premultiplied/, { 262: [3, 1, 2], 277: [3, 1, 4], 338: [3, 1, 1] }],
  ['more samples than colours', /1000 samples per pixel/, { 277: [3, 1, 1000] }],
  [
    'samples of different depths',
    /samples of 8 and 4 bits/,
    { 277: [3, 1, 2], 258: [3, 2, 262152] },
  ],
  ['predictor 3', /predictor 3/, { 259: [3, 1, 8], 317: [3, 1, 3] }],
  [
    'differences of 4 bits',
    /predictor 2 for 4 bits/,
    { 258: [3, 1, 4], 259: [3, 1, 5], 317: [3, 1, 2] },
  ],
  [
    'planes of 4 bits',
    /4 bits/,
    { 258: [3, 1, 4], 262: [3, 1, 2], 277: [3, 1, 3], 284: [3, 1, 2] },
  ],
  ['fill order 3', /fill order 3/, { 266: [3, 1, 3] }],
  [
    'tiles far wider than the image',
    /tiles 1000000 pixels wide for 4×1000 pixels/,
    { 257: [3, 1, 1000], 322: [4, 1, 1_000_000], 323: [3, 1, 1], 324: [4, 1, bodyStart] },
  ],
  [
    'tiles far higher than the image',
    /tiles 1000 pixels high for 100000×1 pixels/,
    {
      256: [4, 1, 100_000],
      259: [3, 1, 8],
      322: [3, 1, 16],
      323: [3, 1, 1000],
      324: [4, 1, bodyStart],
    },
  ],
  ['too many strips', /100001 strips \(at most 100000/, { 257: [4, 1, 100_001], 278: [3, 1, 1] }],
];
for (const [what, message, entries] of refused)
  test(`TIFF, ${what}: refused by name`, () =>
    expectFailure('IMAGE_UNSUPPORTED', message, () => decode(writeTiff(entries, row))));

test('TIFF, a Deflate tile is read whole, though the image has less than half of its rows', async () => {
  const tile = new Uint8Array(256 * 256).map((_, i) => (i * 7 + (i >> 8) * 13) & 255);
  const tiled = { 322: [3, 1, 256], 323: [3, 1, 256], 324: [4, 1, bodyStart] } as const;
  const body = deflateSync(tile);
  const size = { 256: [3, 1, 200], 257: [3, 1, 100], 325: [4, 1, body.length] } as const;
  const pixels = await decode(writeTiff({ ...size, ...tiled, 259: [3, 1, 8] }, body));
  expect([pixels.width, pixels.height]).toEqual([200, 100]);
  for (let y = 0; y < 100; y++)
    expect(pixels.data.subarray(200 * y, 200 * (y + 1))).toEqual(
      tile.subarray(256 * y, 256 * y + 200),
    );
});

test('TIFF, tiles of no size are corrupt', () =>
  expectFailure('IMAGE_CORRUPT', /tiles of 0×0/, () =>
    decode(writeTiff({ 324: [4, 1, bodyStart] }, row)),
  ));

test('inspect, a tile larger than memory is seen by the limits', () => {
  const tiles = { 322: [4, 1, 2 ** 26], 323: [4, 1, 2 ** 31], 324: [4, 1, bodyStart] } as const;
  expect(decoders.TIFF.inspect(writeTiff(tiles, row)).decodedBytes).toBe(2 * 2 ** 26 + 4);
});

test('inspect, a turned image has the size that it is decoded to', async () => {
  const file = writeTiff({ 274: [3, 1, 6] }, row);
  const { width, height } = await decode(file);
  expect([width, height]).toEqual([1, 4]);
  expect(decoders.TIFF.inspect(file)).toMatchObject({ width, height });
});

test('TIFF, tags of four billion values are read no further than they are needed', async () => {
  const many = 2 ** 32 - 1;
  const entries: Record<number, TiffEntry> = {};
  for (const tag of [256, 257, 258, 277]) entries[tag] = [1, many, bodyStart + 4];
  // Eight columns, eight rows, eight bits, all said with the same byte.
  const file = writeTiff({ ...entries, 277: [3, 1, 1] }, Buffer.concat([row, Buffer.alloc(60, 8)]));
  const pixels = await decode(file);
  expect([pixels.width, pixels.height]).toEqual([8, 8]);
  expect(await fastest(5, () => decode(file))).toBeLessThan(20);
});

test('TIFF, strips that share a megabyte of nothing are read no further than they can need', async () => {
  // PackBits' 128 does nothing; four pixels come at the end.
  const body = Buffer.concat([Buffer.alloc(1_000_000, 128), Buffer.of(3, 1, 2, 3, 4)]);
  const file = writeTiff({ 259: [3, 1, 32_773] }, body);
  await expectFailure('IMAGE_TRUNCATED', /ends before/, () => decode(file));
  const some = writeTiff({ 259: [3, 1, 32_773] }, body.subarray(-900));
  expect([...rgbOf(await decode(some)).subarray(0, 4)]).toEqual([1, 1, 1, 2]);
});

test('TIFF, LZW of long pieces, some of which reach into their own copy', async () => {
  const size = { 256: [3, 1, 300], 257: [3, 1, 300] } as const;
  const data = new Uint8Array(90_000).map((_, i) => (i < 40_000 ? 7 : (i % 97) ^ (i >> 12)));
  const body = packLzw(data);
  const file = writeTiff({ ...size, 259: [3, 1, 5], 279: [4, 1, body.length] }, body);
  expect((await decode(file)).data).toEqual(data);
});

test('TIFF, as many rows of one pixel take little longer than a few long ones', async () => {
  const body = new Uint8Array(4_000_000).map((_, i) => i);
  const long = writeTiff({ 256: [3, 1, 4000], 257: [3, 1, 1000] }, body);
  const short = writeTiff({ 256: [3, 1, 1], 257: [4, 1, body.length] }, body);
  expect((await decode(short)).data).toEqual(body);
  // Row by row, a hundred million of them took 5 s.
  expect(await fastest(5, () => decode(short))).toBeLessThan(
    20 + 5 * (await fastest(5, () => decode(long))),
  );
});
