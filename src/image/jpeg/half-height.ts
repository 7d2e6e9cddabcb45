/**
 * Components of half the image's height and its full width, as the chroma of a 4:2:2 picture has that was turned by 90°. The
 * codec rounds otherwise than Pillow's libjpeg-turbo when it makes them as high as the image: up to 2 of 255 in the RGB.
 */
import type { Pixels } from '../pixels.ts';

/**
 * Which components are so, by their position in the frame header.
 * @param sampling - as a JpegHeader has it
 */
export function halfHeightComponents(sampling: readonly number[]): number[] {
  const horizontal = Math.max(...sampling.map((factors) => factors >> 4));
  const vertical = Math.max(...sampling.map((factors) => factors & 15));
  return [...sampling.entries()]
    .filter(([, factors]) => factors >> 4 === horizontal && 2 * (factors & 15) === vertical)
    .map(([i]) => i);
}

/**
 * libjpeg-turbo's h1v2_fancy_upsample (jdsample.c): three parts of the nearest row and one of the next nearest, rounded half
 * down and half up by turns. Beyond the first and the last row are these again.
 * @param from - which of the samples of `half` is the component
 * @param to - which of the samples of `whole` it becomes
 */
export function fillHalfHeight(half: Pixels, from: number, whole: Pixels, to: number): void {
  const { width, height, channels, data } = whole;
  const length = width * half.channels;
  for (let y = 0; y < height; y++) {
    const below = y & 1;
    const row = y >> 1;
    const next = below ? Math.min(row + 1, half.height - 1) : Math.max(row - 1, 0);
    let near = row * length + from;
    let far = next * length + from;
    for (let x = 0, at = y * width * channels + to; x < width; x++, at += channels) {
      data[at] = (3 * (half.data[near] as number) + (half.data[far] as number) + 1 + below) >> 2;
      near += half.channels;
      far += half.channels;
    }
  }
}
