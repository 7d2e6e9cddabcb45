/** Resizing by nearest neighbour, pixel for pixel as Pillow's `resize(…, NEAREST)`. */
import type { Pixels } from '../pixels.ts';
import type { Window } from './window.ts';

/**
 * Which source columns (or rows) the target ones from `first` on read: those under their centres. Pillow does not compute
 * the centres but adds up the step (ImagingScaleAffine, Geometry.c), and so must we: where a centre falls on the border of
 * two columns, as it does in widths that 64 divides, the rounding of the sum decides.
 */
export function nearestIndices(
  source: number,
  target: number,
  first: number,
  count: number,
): Int32Array {
  const step = source / target;
  const indices = new Int32Array(count);
  let centre = step * 0.5;
  for (let i = 0; i < first + count; i++) {
    if (i >= first) indices[i - first] = Math.min(Math.floor(centre), source - 1);
    centre += step;
  }
  return indices;
}

/** @returns RGB of the window's size */
export function resizeNearest(pixels: Pixels, window: Window): Pixels {
  const { channels, data } = pixels;
  const { width, height } = window;
  const columns = nearestIndices(pixels.width, window.fullWidth, window.left, width);
  const rows = nearestIndices(pixels.height, window.fullHeight, window.top, height);
  const rgb = new Uint8Array(width * height * 3);
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  let to = 0;
  for (const row of rows) {
    const start = row * pixels.width * channels;
    for (const column of columns) {
      const from = start + column * channels;
      rgb[to++] = data[from] as number;
      rgb[to++] = data[from + green] as number;
      rgb[to++] = data[from + blue] as number;
    }
  }
  return { width, height, channels: 3, data: rgb };
}
