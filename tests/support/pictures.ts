/** Pictures made by code: what the tests show instead of photos. */
import { encode } from 'fast-png';

export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  /** Different pictures for different seeds. */
  readonly seed: number;
}

/** RGB bytes of a texture: three waves of colour with a chequered patch. */
export function texture({ width, height, seed }: PictureOptions): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  const phase = (n: number): number => ((seed * 37 + n * 101) % 97) / 15;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        const wave = Math.sin(x / (5 + phase(c)) + phase(3 + c)) * Math.cos(y / (7 + phase(6 + c)));
        const patch = ((x >> 3) + (y >> 3) + seed) & 1 ? 24 : 0;
        rgb[(y * width + x) * 3 + c] = Math.round(110 + 100 * wave + patch);
      }
  return rgb;
}

export const texturePng = (options: PictureOptions): Uint8Array =>
  encode({ ...options, data: texture(options), channels: 3, depth: 8 });
