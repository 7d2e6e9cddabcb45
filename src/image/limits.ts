/** What is too large, in words that say how much would not be. */
import { OperatorError } from '../errors.ts';
import type { ImageLimits } from './pipeline.ts';

/** One of the largest images that the default limits let through (100 megapixels of JPEG take about 800 MB), or many ordinary ones. */
export const defaultMaxDecodedBytes: number = 2 ** 30;

/** @param bytes - as many as it has at least @throws OperatorError IMAGE_TOO_LARGE */
export function checkBytes(bytes: number, { maxImageBytes }: ImageLimits): void {
  if (bytes > maxImageBytes)
    throw new OperatorError(
      'IMAGE_TOO_LARGE',
      `the image has more than ${maxImageBytes} bytes (--max-image-bytes)`,
    );
}

/** @throws OperatorError IMAGE_TOO_LARGE */
export function checkPixels(width: number, height: number, { maxImagePixels }: ImageLimits): void {
  if (width * height > maxImagePixels)
    throw new OperatorError(
      'IMAGE_TOO_LARGE',
      `the image has ${width}×${height} = ${width * height} pixels; at most ${maxImagePixels} are allowed (--max-image-pixels)`,
    );
}

/** @throws OperatorError IMAGE_TOO_LARGE */
export function checkDecodedBytes(bytes: number, { maxDecodedBytes }: ImageLimits): void {
  const most = maxDecodedBytes ?? defaultMaxDecodedBytes;
  if (bytes > most)
    throw new OperatorError(
      'IMAGE_TOO_LARGE',
      `decoding the image takes about ${bytes} bytes of memory; at most ${most} are allowed (--max-decoded-bytes)`,
    );
}

/** A file that is made to take far more memory than its size lets expect. */
export const tooMuchMemory = (format: string, expected: number): OperatorError =>
  new OperatorError(
    'IMAGE_TOO_LARGE',
    `decoding the ${format} takes far more memory than the ${expected} bytes that its size lets expect`,
  );
