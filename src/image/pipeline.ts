/** From what a request holds to the tensor a network takes; the decoding threads behind it are its own. */
import type { Tell } from '../log.ts';
import type { PreprocessRules } from '../model/manifest.ts';

/** An image as it came: base64 text (bare or a data URI) or the bytes of a file. */
export type EncodedImage = string | Uint8Array | OwnedBytes;

/**
 * Bytes in a buffer of their own, which is handed over to the decoding thread instead of being copied, and is freed there:
 * whoever gives them has them no longer.
 */
export interface OwnedBytes {
  /** What the bytes are: a file, or base64 text of one. */
  readonly holds: 'file' | 'base64';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ImageLimits {
  /** Most bytes of an encoded image (after base64). */
  readonly maxImageBytes: number;
  /** Most pixels, width × height, by the header, checked before anything is decoded. */
  readonly maxImagePixels: number;
  /**
   * Most bytes of memory that all images being decoded may take together; others wait. An image that needs more is refused.
   * @default 1 GiB
   */
  readonly maxDecodedBytes?: number | undefined;
}

export interface PreparedImage {
  /** float32, `[3, height, width]` or `[height, width, 3]` as the manifest's layout says. */
  readonly tensor: Float32Array;
  /** Milliseconds spent on base64 and on decoding. */
  readonly decodeMs: number;
  /** Milliseconds spent on resizing, cropping and scaling. */
  readonly preprocessMs: number;
}

export interface ImagePipelineOptions {
  readonly rules: PreprocessRules;
  readonly layout: 'NCHW' | 'NHWC';
  readonly limits: ImageLimits;
  /** Decoding threads: at most so many images are decoded at once. */
  readonly threads: number;
  /** Told of threads that hang. */
  readonly tell?: Tell;
}

export interface ImagePipeline {
  /**
   * Decodes and preprocesses one image on a thread of the pool, first come first served.
   * @throws OperatorError: BASE64_INVALID, IMAGE_*; CANCELLED when `signal` fires while it waits
   */
  prepare(image: EncodedImage, signal: AbortSignal): Promise<PreparedImage>;
  close(): Promise<void>;
  /** Settles with the reason when so many threads hang, and cannot be ended, that decoding has no cores any more. */
  readonly lost: Promise<Error>;
}
