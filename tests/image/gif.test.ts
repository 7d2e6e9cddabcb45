/** A first frame smaller than its screen; whole frames: pillow.test.ts. */
import { expect, test } from 'bun:test';
import { decode, rgbOf } from './support.ts';

const palette = [
  [10, 20, 30],
  [40, 50, 60],
  [70, 80, 90],
  [100, 110, 120],
] as const;

/** 2×2 pixels of the four colours, at (1, 1) of a screen of 4×3. @param control - a graphic control extension */
function framed(control: readonly number[]): Buffer {
  // Codes of three bits: 4 clears the table, which after two pixels has not grown yet, and 5 ends.
  const codes = [4, 0, 1, 4, 2, 3, 5];
  const bits = codes.reduce((sum, code, i) => sum + code * 8 ** i, 0);
  const data = [bits & 255, (bits >> 8) & 255, (bits >> 16) & 255];
  return Buffer.from([
    ...Buffer.from('GIF89a', 'latin1'),
    ...[4, 0, 3, 0, 0x81, 0, 0],
    ...palette.flat(),
    ...control,
    ...[0x2c, 1, 0, 1, 0, 2, 0, 2, 0, 0],
    ...[2, data.length, ...data, 0, 0x3b],
  ]);
}

/** The colours by their index. */
async function coloursOf(file: Buffer): Promise<number[][]> {
  const pixels = await decode(file);
  expect([pixels.width, pixels.height]).toEqual([4, 3]);
  const rgb = rgbOf(pixels);
  const indices = Array.from({ length: 12 }, (_, i) =>
    palette.findIndex((colour) => colour.join() === rgb.subarray(3 * i, 3 * i + 3).join()),
  );
  return [indices.slice(0, 4), indices.slice(4, 8), indices.slice(8)];
}

// Pillow's load_prepare (GifImagePlugin.py) fills the screen with the transparent colour, or with the first.
test.each([
  ['without transparency, with the first colour', [], 0],
  ['with the transparent colour', [0x21, 0xf9, 4, 1, 0, 0, 3, 0], 3],
  ['with the first where none is transparent', [0x21, 0xf9, 4, 0, 0, 0, 3, 0], 0],
] as const)('GIF, a frame within its screen, filled %s', async (_, control, fill) => {
  expect(await coloursOf(framed(control))).toEqual([
    [fill, fill, fill, fill],
    [fill, 0, 1, fill],
    [fill, 2, 3, fill],
  ]);
});
