/** Pictures made by code: what the tests show instead of photos. */
import { readFileSync } from 'node:fs';
import encodeJpeg, { init } from '@jsquash/jpeg/encode.js';
import { encodePng, Image } from 'image-js';

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
  encodePng(
    new Image(options.width, options.height, { data: texture(options), colorModel: 'RGB' }),
  );

let jpegEncoder: Promise<void> | undefined;

export interface JpegPictureOptions extends PictureOptions {
  /** @default 85 */
  readonly quality?: number;
  readonly progressive?: boolean;
  readonly grey?: boolean;
}

export async function textureJpeg(options: JpegPictureOptions): Promise<Uint8Array> {
  const { width, height, quality = 85, progressive = false, grey = false } = options;
  const wasm = require.resolve('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm');
  jpegEncoder ??= init(new WebAssembly.Module(readFileSync(wasm)));
  await jpegEncoder;
  const rgb = texture(options);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  const picture = { width, height, data } as unknown as ImageData;
  // MozJPEG's JCS_GRAYSCALE is 1, JCS_YCbCr is 3.
  const color_space = grey ? 1 : 3;
  return new Uint8Array(
    await encodeJpeg(picture, {
      quality,
      progressive,
      baseline: !progressive,
      color_space,
      auto_subsample: false,
      chroma_subsample: 2,
    }),
  );
}

/** RGB bytes that any language makes alike, in integers: what other programs' results are compared on. */
export function pattern(width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) rgb[to++] = (x * 7 + y * 13 + c * 31 + x * y) ^ ((x * x) >> 3);
  return rgb;
}
