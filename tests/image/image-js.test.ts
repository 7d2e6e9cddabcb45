/** image-js as an independent reader: where it reads a file at 8 bits as we mean it, the pixels are the same. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'image-js';
import { createDecoders } from '../../src/image/decoders.ts';

const { files } = JSON.parse(readFileSync(join(import.meta.dir, 'pillow-files.json'), 'utf8'));
const fileOf = (name: string): Uint8Array =>
  new Uint8Array(
    Buffer.from(files.find((file: { name: string }) => file.name === name).base64, 'base64'),
  );

test.each([
  ['24bit.bmp', 'BMP'],
  ['none.tif', 'TIFF'],
  ['lzw.tif', 'TIFF'],
  ['deflate.tif', 'TIFF'],
  ['predictor.tif', 'TIFF'],
  ['alpha.tif', 'TIFF'],
  ['frames.png', 'PNG'],
] as const)('%s, decodes to what image-js reads', async (name, format) => {
  const decoders = await createDecoders();
  const ours = await decoders[format].decode(fileOf(name));
  const theirs = decode(fileOf(name)).getRawImage();
  expect([ours.width, ours.height, ours.channels]).toEqual([
    theirs.width,
    theirs.height,
    theirs.channels as 1 | 3 | 4,
  ]);
  expect(Buffer.from(ours.data).equals(Buffer.from(theirs.data))).toBe(true);
});
