/** What is too large, in words that say how much would not be. */
import { OperatorError } from '../errors.ts';
import type { ImageLimits } from './pipeline.ts';

/** @throws OperatorError IMAGE_TOO_LARGE */
export function checkBytes(bytes: number, { maxImageBytes }: ImageLimits): void {
  if (bytes > maxImageBytes)
    throw new OperatorError(
      'IMAGE_TOO_LARGE',
      `the image has ${bytes} bytes; at most ${maxImageBytes} are allowed`,
    );
}

/** @throws OperatorError IMAGE_TOO_LARGE */
export function checkPixels(width: number, height: number, { maxImagePixels }: ImageLimits): void {
  if (width * height > maxImagePixels)
    throw new OperatorError(
      'IMAGE_TOO_LARGE',
      `the image has ${width}×${height} = ${width * height} pixels; at most ${maxImagePixels} are allowed`,
    );
}
