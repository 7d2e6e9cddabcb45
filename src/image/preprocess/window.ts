/**
 * Which part of a resized image is wanted. Resizing and cropping are one step: of a picture one pixel wide, the shorter side
 * enlarged to 256 would otherwise be many times too large for any memory.
 */
import type { PreprocessRules } from '../../model/manifest.ts';

export interface Window {
  /** The whole image's size after resizing. */
  readonly fullWidth: number;
  readonly fullHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The window that the rules cut out of an image of this size. */
export function chooseWindow(width: number, height: number, rules: PreprocessRules): Window {
  const [fullWidth, fullHeight] = resizedSize(width, height, rules);
  const crop = rules.crop ?? { width: fullWidth, height: fullHeight };
  return {
    fullWidth,
    fullHeight,
    left: roundHalfToEven((fullWidth - crop.width) / 2),
    top: roundHalfToEven((fullHeight - crop.height) / 2),
    width: crop.width,
    height: crop.height,
  };
}

function resizedSize(width: number, height: number, { resize }: PreprocessRules): [number, number] {
  if (resize.mode === 'stretch') return [resize.width, resize.height];
  const longer = Math.floor((resize.size * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? [resize.size, longer] : [longer, resize.size];
}

/** As Python's `round`, and so torchvision's CenterCrop. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
