/**
 * The decoder of each supported format. image-js, which could read several of them, is kept off the path of requests: it
 * inflates without a bound, ignores the palette of a BMP, and keeps 16 bits where Pillow clips; where both read a file,
 * the tests hold ours against it (tests/image/image-js.test.ts).
 */
import { bmpDecoder } from './bmp/decode-bmp.ts';
import { gifDecoder } from './gif/decode-gif.ts';
import { createJpegDecoder } from './jpeg/decode-jpeg.ts';
import { pngDecoder } from './png/decode-png.ts';
import type { Decoders } from './prepare-image.ts';
import { tiffDecoder } from './tiff/decode-tiff.ts';
import { createWebpDecoder } from './webp/decode-webp.ts';

/** Ready when the JPEG codec is compiled. */
export async function createDecoders(): Promise<Decoders> {
  return {
    JPEG: await createJpegDecoder(),
    PNG: pngDecoder,
    GIF: gifDecoder,
    BMP: bmpDecoder,
    WebP: createWebpDecoder(),
    TIFF: tiffDecoder,
  };
}
