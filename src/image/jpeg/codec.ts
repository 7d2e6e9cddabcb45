/** The one file that imports the JPEG codec: MozJPEG's decoder, a libjpeg in WebAssembly. */
import createModule from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import wasmPath from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm' with { type: 'file' };
import { type CodecResult, createWasmCodec } from '../wasm-codec.ts';

export interface JpegCodec {
  /** `messages` are libjpeg's first warning, for it prints no other, and the reason why it gave up if it did. */
  decode(jpeg: Uint8Array, memory: number): Promise<CodecResult>;
}

export async function createJpegCodec(): Promise<JpegCodec> {
  const codec = await createWasmCodec(createModule, wasmPath, { keep: true });
  // False: pixels as they are stored. True would turn the image by its EXIF orientation, which Pillow does not.
  return { decode: (jpeg, memory) => codec.decode(jpeg, memory, false) };
}
