/** One image from what came in to the network's tensor; everything a decoding thread does. */
import { OperatorError } from '../errors.ts';
import type { PreprocessRules } from '../model/manifest.ts';
import { decodeBase64, decodeBase64InPlace } from './base64.ts';
import { detectFormat, type Format } from './format.ts';
import { checkBytes, checkDecodedBytes, checkPixels } from './limits.ts';
import type { EncodedImage, ImageLimits, PreparedImage } from './pipeline.ts';
import type { ImageDecoder, ImageHeader, Pixels } from './pixels.ts';
import { resizeAndCrop, resizingBytes } from './preprocess/resize.ts';
import { type Layout, toTensor } from './preprocess/to-tensor.ts';

export type Decoders = Readonly<Record<Format, ImageDecoder>>;

/** Settles when that many bytes may be used for decoding. */
export type AskForMemory = (bytes: number) => Promise<void>;

export interface PrepareOptions {
  readonly rules: PreprocessRules;
  readonly layout: Layout;
  readonly limits: ImageLimits;
}

/** @throws OperatorError BASE64_INVALID, IMAGE_* */
export async function prepareImage(
  image: EncodedImage,
  { rules, layout, limits }: PrepareOptions,
  decoders: Decoders,
  askForMemory: AskForMemory,
): Promise<PreparedImage> {
  const started = performance.now();
  const bytes = fileOf(image);
  const { decoder, header } = inspectImage(bytes, limits, decoders);
  const neededBytes = header.decodedBytes + resizingBytes(header, rules);
  checkDecodedBytes(neededBytes, limits);
  const inspected = performance.now();
  await askForMemory(neededBytes);
  const granted = performance.now();
  const pixels = await decodeGuarded(decoder, bytes);
  const decoded = performance.now();
  const tensor = toTensor(resizeAndCrop(pixels, rules), rules, layout);
  return {
    tensor,
    decodeMs: inspected - started + decoded - granted,
    preprocessMs: performance.now() - decoded,
  };
}

function fileOf(image: EncodedImage): Uint8Array {
  if (typeof image === 'string') return decodeBase64(image);
  if (!('holds' in image)) return image;
  return image.holds === 'base64' ? decodeBase64InPlace(image.bytes) : image.bytes;
}

/** Format and size by the header, held against the limits before anything is decoded. */
export function inspectImage(
  bytes: Uint8Array,
  limits: ImageLimits,
  decoders: Decoders,
): { decoder: ImageDecoder; header: ImageHeader } {
  checkBytes(bytes.length, limits);
  const decoder = decoders[detectFormat(bytes)];
  const header = decoder.inspect(bytes);
  checkPixels(header.width, header.height, limits);
  checkDecodedBytes(header.decodedBytes, limits);
  return { decoder, header };
}

/** Whatever a decoder stumbles over that it did not foresee is the file's fault, not ours, and keeps its cause. */
async function decodeGuarded(decoder: ImageDecoder, bytes: Uint8Array): Promise<Pixels> {
  try {
    return await decoder.decode(bytes);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError('IMAGE_CORRUPT', `the ${decoder.name} cannot be decoded`, {
      cause: error,
    });
  }
}
