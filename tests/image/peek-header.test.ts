import { expect, test } from 'bun:test';
import { peekBase64Header, peekedBytes, peekHeader } from '../../src/image/peek-header.ts';
import { textureJpeg } from '../support/pictures.ts';

/** A JPEG whose frame header comes behind so many bytes of application data, in segments of 1000. */
async function jpegWith(bytes: number): Promise<Buffer> {
  const jpeg = await textureJpeg({ width: 32, height: 16, seed: 1 });
  const segment = Buffer.alloc(1000);
  segment.set([0xff, 0xe5, 998 >> 8, 998 & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(bytes, segment), jpeg.subarray(2)]);
}

test('peekHeader, a frame header within the first 256 KiB is found', async () => {
  expect(peekHeader(await jpegWith(200_000))).toMatchObject({ width: 32, height: 16 });
  const text = Buffer.from((await jpegWith(150_000)).toString('base64'));
  expect(peekBase64Header(text)).toMatchObject({ width: 32, height: 16 });
});

test('peekHeader, of a whole file no more than its first 256 KiB are looked at', async () => {
  const jpeg = await jpegWith(300_000);
  expect(peekedBytes).toBe(262_144);
  expect(peekHeader(jpeg)).toBeUndefined();
  expect(peekBase64Header(Buffer.from(jpeg.toString('base64')))).toBeUndefined();
});
