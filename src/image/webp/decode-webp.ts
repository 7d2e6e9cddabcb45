/** WebP: lossy, lossless, and the first frame of animations. */
import createModule from '@jsquash/webp/codec/dec/webp_dec.js';
import wasmPath from '@jsquash/webp/codec/dec/webp_dec.wasm' with { type: 'file' };
import { OperatorError } from '../../errors.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { createWasmCodec, type WasmCodec } from '../wasm-codec.ts';
import { readWebp } from './container.ts';

/** The codec is compiled with the first WebP: most operators never see one. */
export function createWebpDecoder(): ImageDecoder {
  let codec: Promise<WasmCodec> | undefined;
  return {
    name: 'WebP',
    inspect(bytes) {
      const { width, height } = readWebp(bytes);
      // RGBA in the codec's memory and again outside it, once more on the canvas, and the codec's own rows; copies of the file.
      return { width, height, decodedBytes: 16 * width * height + 2 * bytes.length };
    },
    async decode(bytes): Promise<Pixels> {
      const { width, height, file, frame } = readWebp(bytes);
      codec ??= createWasmCodec(createModule, wasmPath);
      const { image } = await (await codec).decode(file);
      if (!image) throw new OperatorError('IMAGE_CORRUPT', "the WebP's image data is damaged");
      if (frame.width === width && frame.height === height)
        return { width, height, channels: 4, data: image.data };
      // As libwebp's animation decoder has it: the first frame is laid on black that is transparent, unblended.
      const data = new Uint8Array(width * height * 4);
      for (let y = 0; y < frame.height; y++) {
        const row = image.data.subarray(y * frame.width * 4, (y + 1) * frame.width * 4);
        data.set(row, ((frame.top + y) * width + frame.left) * 4);
      }
      return { width, height, channels: 4, data };
    },
  };
}
