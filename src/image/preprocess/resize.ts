/** The manifest's resize and crop rules applied: from any pixels to those of the network's size. */
import type { PreprocessRules } from '../../model/manifest.ts';
import type { Pixels } from '../pixels.ts';
import { bilinearBytes, resizeBilinear } from './bilinear.ts';
import { resizeNearest } from './nearest.ts';
import { chooseWindow } from './window.ts';

/** @returns pixels of the network's size: RGB, or grey standing for three equal channels */
export function resizeAndCrop(pixels: Pixels, rules: PreprocessRules): Pixels {
  const window = chooseWindow(pixels.width, pixels.height, rules);
  const resize = rules.resize.filter === 'nearest' ? resizeNearest : resizeBilinear;
  return resize(pixels, window);
}

/** About how many bytes of memory that takes: few, but where a very long picture is squeezed into a square. */
export function resizingBytes(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  rules: PreprocessRules,
): number {
  if (rules.resize.filter === 'nearest') return 0;
  return bilinearBytes(width, height, chooseWindow(width, height, rules));
}
