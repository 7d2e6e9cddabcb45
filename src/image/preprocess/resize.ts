/** The manifest's resize and crop rules applied: from any pixels to those of the network's size. */
import type { PreprocessRules } from '../../model/manifest.ts';
import type { Pixels } from '../pixels.ts';
import { resizeBilinear } from './bilinear.ts';
import { resizeNearest } from './nearest.ts';
import { chooseWindow } from './window.ts';

/** @returns pixels of the network's size: RGB, or grey standing for three equal channels */
export function resizeAndCrop(pixels: Pixels, rules: PreprocessRules): Pixels {
  const window = chooseWindow(pixels.width, pixels.height, rules);
  const resize = rules.resize.filter === 'nearest' ? resizeNearest : resizeBilinear;
  return resize(pixels, window);
}
