/** WebP: lossy, lossless, and the first frame of animations. */
import createModule from '@jsquash/webp/codec/dec/webp_dec.js';
import wasmPath from '@jsquash/webp/codec/dec/webp_dec.wasm' with { type: 'file' };
import { OperatorError } from '../../errors.ts';
import { tooMuchMemory } from '../limits.ts';
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
      return { width, height, decodedBytes: expectedBytes(width, height, bytes) };
    },
    async decode(bytes): Promise<Pixels> {
      const { width, height, file, frame } = readWebp(bytes);
      const expected = expectedBytes(width, height, bytes);
      // This is libwebp 1.1.0: a file can write beyond its Huffman tables (CVE-2023-4863). It cannot leave the codec's memory,
      // and no other image is decoded in what it may have left there.
      codec ??= createWasmCodec(createModule, wasmPath, { keep: false });
      const { image, starved } = await (await codec).decode(file, expected);
      if (!image && starved) throw tooMuchMemory('WebP', expected);
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

/** RGBA in the codec's memory and again outside it, once more on the canvas, and the codec's own rows; copies of the file. */
const expectedBytes = (width: number, height: number, { length }: Uint8Array): number =>
  16 * width * height + 2 * length;
