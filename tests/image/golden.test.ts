/** Every file of the shared data against what Pillow 12.3 made of it. */
import { expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/errors.ts';
import { resizeAndCrop } from '../../src/image/preprocess/resize.ts';
import { data, testWith } from '../support/data.ts';
import { fastest } from '../support/fastest.ts';
import type { GoldenItem } from '../support/golden.ts';
import { decode, expectFailure, failure, kerasRules, rgbOf, sha256 } from './support.ts';

const items: GoldenItem[] = existsSync(data.goldenKeras)
  ? JSON.parse(readFileSync(data.goldenKeras, 'utf8')).items
  : [];
const read = (file: string): Uint8Array => readFileSync(join(data.root, file));

async function rgb224(file: string): Promise<string> {
  return sha256(rgbOf(resizeAndCrop(await decode(read(file)), kerasRules)));
}

/** Formats that Pillow reads and we do not. */
const refused = new Set(['edge/pitm.avif']);

for (const folder of ['photos', 'flowers'])
  testWith(
    data.goldenKeras,
    `decode and resize, ${folder}: the 224×224 RGB bytes are Pillow's`,
    async () => {
      const inFolder = items.filter(({ file }) => file.startsWith(folder));
      expect(inFolder.length).toBe(folder === 'photos' ? 23 : 48);
      for (const { file, rgb224_sha256 } of inFolder)
        expect({ file, sha256: await rgb224(file) }).toEqual({
          file,
          sha256: String(rgb224_sha256),
        });
    },
  );

testWith(
  data.goldenKeras,
  "decode and resize, edge: the bytes are Pillow's, CMYK's too",
  async () => {
    const readable = items.filter(
      ({ file, expect: rejected }) => file.startsWith('edge') && !rejected && !refused.has(file),
    );
    expect(readable.length).toBe(15);
    for (const { file, rgb224_sha256 } of readable)
      expect({ file, sha256: await rgb224(file) }).toEqual({ file, sha256: String(rgb224_sha256) });
  },
);

const rejected: readonly [string, ErrorCode, RegExp][] = [
  ['edge/65536-uint32-limit.png', 'IMAGE_TOO_LARGE', /65536×65536/],
  ['edge/giant-image.jpg', 'IMAGE_TOO_LARGE', /20000×14000/],
  ['edge/check.svg', 'IMAGE_UNKNOWN_FORMAT', /^SVG is not supported/],
  ['edge/corrupt-header.jpg', 'IMAGE_TRUNCATED', /within its header/],
  ['edge/truncated.jpg', 'IMAGE_TRUNCATED', /JPEG ends/],
  ['edge/truncated.png', 'IMAGE_TRUNCATED', /PNG ends/],
  ['edge/pitm.avif', 'IMAGE_UNKNOWN_FORMAT', /^AVIF is not supported/],
];
for (const [file, code, message] of rejected)
  testWith(data.goldenKeras, `decode, ${file} is ${code}`, () =>
    expectFailure(code, message, () => decode(read(file))),
  );

testWith(data.goldenKeras, 'decode, every file that Pillow rejects is among those', () => {
  const named = new Set(rejected.map(([file]) => file));
  expect(items.filter(({ file, expect: why }) => why && !named.has(file))).toEqual([]);
});

testWith(
  data.edge,
  'decode, the two giant images are refused by their headers: at once, without memory',
  async () => {
    for (const file of ['edge/65536-uint32-limit.png', 'edge/giant-image.jpg']) {
      const bytes = read(file);
      const before = process.memoryUsage.rss();
      const ms = await fastest(10, () => failure(() => decode(bytes)));
      expect(ms).toBeLessThan(50);
      // Either of them has a gigabyte of pixels.
      expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
    }
  },
);

testWith(data.photos, 'decode, the first half of every photo is truncated', async () => {
  for (const name of readdirSync(data.photos)) {
    const bytes = read(`photos/${name}`);
    const error = await failure(() => decode(bytes.subarray(0, bytes.length >> 1)));
    expect({ name, code: error.code }).toEqual({ name, code: 'IMAGE_TRUNCATED' });
  }
});
