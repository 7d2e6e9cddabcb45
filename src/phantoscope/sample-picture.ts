/** A picture made by code, so that `check` needs no file: a gradient sky, a disc and a striped field, as a PNG. */
import { encodePng, Image } from 'image-js';

const size = 256;

/** @returns a PNG of 256 × 256 RGB pixels, always the same picture */
export function samplePicture(): Uint8Array {
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) data.set(pixel(x, y), (y * size + x) * 3);
  return encodePng(new Image(size, size, { data, colorModel: 'RGB' }));
}

function pixel(x: number, y: number): [number, number, number] {
  if ((x - 176) ** 2 + (y - 72) ** 2 < 40 ** 2) return [250, 210, 60];
  if (y > 168) return ((x + y) >> 4) % 2 === 0 ? [60, 130, 50] : [110, 80, 40];
  return [40 + (y >> 1), 90 + (y >> 1), 220 - (x >> 3)];
}
