import { expect, test } from 'bun:test';
import { keepComponents } from '../../src/image/jpeg/component-filter.ts';
import { readJpegHeader } from '../../src/image/jpeg/header.ts';
import { fastest } from '../support/fastest.ts';
import { type JpegPictureOptions, texture, textureJpeg } from '../support/pictures.ts';
import pillow from './pillow-files.json';
import { decode, decoders, expectFailure, rgbOf } from './support.ts';

const size = { width: 75, height: 53, seed: 2 };

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

const forms: Omit<JpegPictureOptions, keyof typeof size>[] = [
  {},
  { progressive: true },
  { grey: true },
  { grey: true, progressive: true },
];
for (const form of forms)
  test(`JPEG, ${JSON.stringify(form)} looks like the picture it was made of`, async () => {
    const pixels = await decode(await textureJpeg({ ...size, ...form, quality: 95 }));
    const rgb = rgbOf(pixels);
    const original = form.grey ? rgb : texture(size);
    expect([pixels.width, pixels.height]).toEqual([75, 53]);
    expect(meanDifference(rgb, original)).toBeLessThan(8);
    if (form.grey) expect(rgb.every((value, i) => value === rgb[i - (i % 3)])).toBe(true);
  });

for (const progressive of [false, true])
  test(`JPEG, ${progressive ? 'progressive' : 'baseline'}, any cut is an error`, async () => {
    const jpeg = await textureJpeg({ ...size, progressive });
    for (let length = 3; length < jpeg.length; length += 61)
      await expectFailure('IMAGE_TRUNCATED', /JPEG/, () => decode(jpeg.subarray(0, length)));
    await expectFailure('IMAGE_TRUNCATED', /JPEG/, () => decode(jpeg.subarray(0, -1)));
  });

test('JPEG, half a file with an end-of-image marker put behind is truncated still', async () => {
  const jpeg = await textureJpeg({ ...size, width: 300, height: 200 });
  const half = Buffer.concat([jpeg.subarray(0, jpeg.length >> 1), Buffer.from([0xff, 0xd9])]);
  await expectFailure('IMAGE_TRUNCATED', /scan of the JPEG ends/, () => decode(half));
});

test('JPEG, a progressive file that ends after some of its scans is truncated', async () => {
  const jpeg = Buffer.from(await textureJpeg({ ...size, progressive: true }));
  const scans = [...jpeg.keys()].filter((i) => jpeg[i] === 0xff && jpeg[i + 1] === 0xda);
  expect(scans.length).toBeGreaterThan(2);
  for (const start of scans.slice(1)) {
    const fewer = Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(-2)]);
    await expectFailure('IMAGE_TRUNCATED', /end before its picture is complete/, () =>
      decode(fewer),
    );
  }
});

test('JPEG, a harmless warning does not hide the missing end', async () => {
  const jpeg = Buffer.from(await textureJpeg({ ...size, progressive: true }));
  // Stray bytes before the second scan's tables: libjpeg's first warning, and its only one.
  const second = jpeg.indexOf(Buffer.from([0xff, 0xc4]), jpeg.indexOf(Buffer.from([0xff, 0xda])));
  const stray = Buffer.concat([jpeg.subarray(0, second), Buffer.alloc(4), jpeg.subarray(second)]);
  expect((await decode(stray)).width).toBe(75);
  await expectFailure('IMAGE_TRUNCATED', /end-of-image/, () => decode(stray.subarray(0, -40)));
});

const oddities: [string, (jpeg: Buffer) => Buffer][] = [
  ['a JFIF version', (jpeg) => jpeg.fill(7, jpeg.indexOf('JFIF') + 5, jpeg.indexOf('JFIF') + 6)],
  ['a colour code', (jpeg) => Buffer.from([0xff, 0xd8, ...adobe, 9, ...jpeg.subarray(jfifEnd)])],
  ['bytes between segments', (jpeg) => insert(jpeg, [1, 2, 3])],
  [
    "a sequential scan's range",
    (jpeg) => {
      const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
      return jpeg.fill(5, scan + 12, scan + 13);
    },
  ],
];
const adobe = [0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0];
const jfifEnd = 20;
const insert = (jpeg: Buffer, bytes: number[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, jfifEnd), Buffer.from(bytes), jpeg.subarray(jfifEnd)]);

for (const [what, make] of oddities)
  test(`JPEG, ${what}, odd: the picture is the same, and damage is seen all the same`, async () => {
    const jpeg = Buffer.from(await textureJpeg({ ...size, width: 300, height: 200 }));
    const same = rgbOf(await decode(jpeg));
    const half = Buffer.concat([jpeg.subarray(0, jpeg.length >> 1), Buffer.from([0xff, 0xd9])]);
    expect(rgbOf(await decode(make(jpeg)))).toEqual(same);
    await expectFailure('IMAGE_TRUNCATED', /scan of the JPEG ends/, () => decode(make(half)));
  });

test('JPEG, bytes behind the image are not looked at', async () => {
  const jpeg = await textureJpeg(size);
  // Two hundred start-of-scan markers, as a film behind a photo has them by chance.
  const film = Buffer.alloc(1000, Buffer.from([0xff, 0xda, 7, 7, 7]));
  const trailing = await decode(Buffer.concat([jpeg, film]));
  expect(rgbOf(trailing)).toEqual(rgbOf(await decode(jpeg)));
});

test('JPEG, a failed image leaves nothing behind for the next', async () => {
  const jpeg = await textureJpeg(size);
  const before = rgbOf(await decode(jpeg));
  const broken = Buffer.from(jpeg);
  broken.fill(0xaa, broken.indexOf(Buffer.from([0xff, 0xc4])) + 4, broken.length - 30);
  await expectFailure('IMAGE_CORRUPT', /JPEG/, () => decode(broken));
  expect(rgbOf(await decode(jpeg))).toEqual(before);
});

/** The frame header's bytes behind its length: precision, height, width, components. */
async function withFrame(patch: (frame: Buffer, marker: Buffer) => void): Promise<Buffer> {
  const jpeg = Buffer.from(await textureJpeg(size));
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  patch(jpeg.subarray(at + 4), jpeg.subarray(at, at + 2));
  return jpeg;
}

test('JPEG, 12 bits are refused by name', async () =>
  expectFailure('IMAGE_UNSUPPORTED', /12 bits per sample/, async () =>
    decode(await withFrame((frame) => frame.fill(12, 0, 1))),
  ));

for (const [marker, name] of [
  [0xc9, /arithmetic/],
  [0xc3, /lossless/],
  [0xc5, /hierarchical/],
] as const)
  test(`JPEG, ${name.source} coding is refused by name`, async () =>
    expectFailure('IMAGE_UNSUPPORTED', name, async () =>
      decode(await withFrame((_, sof) => sof.fill(marker, 1))),
    ));

test('JPEG, one chroma of half the height, two blocks of an MCU, is refused by name', async () =>
  // cjpeg -sample 2x2,2x1,1x1; the codec's pixels would differ from Pillow's.
  expectFailure('IMAGE_UNSUPPORTED', /components are sampled too differently/, async () =>
    decode(await withFrame((frame) => frame.fill(0x21, 10, 11))),
  ));

test('JPEG, a height of 0 is refused', async () =>
  expectFailure('IMAGE_UNSUPPORTED', /DNL/, async () =>
    decode(await withFrame((frame) => frame.fill(0, 1, 3))),
  ));

test('JPEG, more than 100 scans are refused before they are run', async () => {
  const jpeg = Buffer.from(await textureJpeg({ ...size, progressive: true }));
  const scans = Buffer.concat(
    Array.from({ length: 101 }, () => Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0])),
  );
  await expectFailure('IMAGE_UNSUPPORTED', /scans; at most 100 are/, () =>
    decode(Buffer.concat([jpeg.subarray(0, -2), scans, jpeg.subarray(-2)])),
  );
});

/** Empty segments of one kind behind the start-of-image marker. */
async function withSegments(marker: number, count: number): Promise<Buffer> {
  const jpeg = await textureJpeg(size);
  const segments = Buffer.alloc(4 * count, Buffer.from([0xff, marker, 0, 2]));
  return Buffer.concat([jpeg.subarray(0, 2), segments, jpeg.subarray(2)]);
}

test('JPEG, more than 5000 segments are refused before the codec walks through them', async () => {
  expect((await decode(await withSegments(0xe1, 4900))).width).toBe(75);
  for (const marker of [0xe1, 0xdb, 0xfe])
    await expectFailure('IMAGE_UNSUPPORTED', /segments; at most 5000 are/, async () =>
      decode(await withSegments(marker, 5000)),
    );
});

test('JPEG, a megabyte of Huffman tables that no scan uses costs nothing', async () => {
  const file = pillow.files.find(({ name }) => name === 'cmyk.jpg');
  const jpeg = Buffer.from(file?.base64 ?? '', 'base64');
  const segment = Buffer.alloc(4 + 17 * 3800);
  segment.writeUInt16BE(0xffc4);
  segment.writeUInt16BE(segment.length - 2, 2);
  const many = Array.from({ length: 16 }, () => segment);
  const tables = Buffer.concat([jpeg.subarray(0, 2), ...many, jpeg.subarray(2)]);
  const kept = keepComponents(jpeg, [0, 1, 2]);
  const plain = await fastest(3, () => keepComponents(jpeg, [0, 1, 2]));
  const ms = await fastest(3, () => keepComponents(tables, [0, 1, 2]));
  expect(keepComponents(tables, [0, 1, 2]).length).toBe(kept.length + 16 * segment.length);
  // Each table built would take 20 µs, all of them more than a second.
  expect(ms).toBeLessThan(plain + 500);
});

test('readJpegHeader, 4:2:0 has 1.5 samples per pixel', async () => {
  const header = readJpegHeader(await textureJpeg({ ...size, progressive: true }));
  expect(header).toMatchObject({
    width: 75,
    height: 53,
    progressive: true,
    components: 3,
    samplesPerPixel: 1.5,
  });
});

test('inspect, a progressive file is expected to take more memory than a baseline one', async () => {
  const [baseline, progressive] = [
    await textureJpeg(size),
    await textureJpeg({ ...size, progressive: true }),
  ];
  expect(decoders.JPEG.inspect(baseline).decodedBytes).toBe(75 * 53 * 8 + 2 * baseline.length);
  expect(decoders.JPEG.inspect(progressive).decodedBytes).toBe(
    75 * 53 * 11 + 2 * progressive.length,
  );
});

test('inspect, a baseline file whose scans hold one component each keeps coefficients like a progressive one', () => {
  const segment = (marker: number, ...body: number[]): number[] => [
    ...[0xff, marker, 0, body.length + 2],
    ...body,
  ];
  const frame = segment(0xc0, 8, 0, 53, 0, 75, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0);
  const together = segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0);
  const alone = segment(0xda, 1, 1, 0, 0, 63, 0);
  const bytesOf = (...rest: number[]): number => {
    const jpeg = Uint8Array.of(0xff, 0xd8, ...frame, ...rest);
    return decoders.JPEG.inspect(jpeg).decodedBytes - 2 * jpeg.length;
  };
  // Of 9 megapixels, 4:4:4, it took 132 MB where 72 had been asked for.
  expect(bytesOf(...alone)).toBe(75 * 53 * 11);
  expect(bytesOf(...together)).toBe(75 * 53 * 8);
  expect(bytesOf()).toBe(75 * 53 * 8);
});

test('inspect, chroma of half the height is decoded once more', async () => {
  // 4:4:0. Of 12 megapixels and 7.5 MB it took about 205 MB.
  const jpeg = await withFrame((frame) => frame.fill(0x12, 7, 8));
  expect(decoders.JPEG.inspect(jpeg).decodedBytes).toBe(75 * 53 * (12 + 4) + 4 * jpeg.length);
});

test('inspect, CMYK: two decodings, the files made for them, and RGB', () => {
  const frame = [8, 0, 53, 0, 75, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0];
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, frame.length + 2, ...frame);
  // Of 5 megapixels and 15 MB it took 167 MB where 110 had been asked for.
  expect(decoders.JPEG.inspect(jpeg).decodedBytes).toBe(75 * 53 * 19 + 4 * jpeg.length);
});

for (const progressive of [false, true])
  test(`keepComponents, ${progressive ? 'progressive' : 'baseline'}: luma alone is what the grey file has`, async () => {
    // One component of 1×1: its blocks stand in the same order alone as together.
    const jpeg = await textureJpeg({ ...size, grey: true, progressive });
    const rgb = rgbOf(await decode(keepComponents(jpeg, [0])));
    expect(rgb).toEqual(rgbOf(await decode(jpeg)));
  });

test('keepComponents, all three: the components themselves, no longer turned into RGB', async () => {
  const jpeg = await textureJpeg(size);
  const raw = rgbOf(await decode(keepComponents(jpeg, [0, 1, 2])));
  const rgb = rgbOf(await decode(jpeg));
  for (let i = 0; i < raw.length; i += 3) {
    const [y = 0, cb = 0, cr = 0] = raw.subarray(i, i + 3);
    const red = Math.max(0, Math.min(255, y + 1.402 * (cr - 128)));
    const blue = Math.max(0, Math.min(255, y + 1.772 * (cb - 128)));
    expect(Math.abs((rgb[i] ?? 0) - red)).toBeLessThan(2);
    expect(Math.abs((rgb[i + 2] ?? 0) - blue)).toBeLessThan(2);
  }
});

test('keepComponents, dropping the component that the others are sampled by is refused', async () =>
  expectFailure('IMAGE_UNSUPPORTED', /sampled too differently/, async () =>
    keepComponents(await textureJpeg(size), [1, 2]),
  ));
