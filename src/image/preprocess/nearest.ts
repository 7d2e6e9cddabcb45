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
  let centre = addUp(step * 0.5, step, first);
  for (let i = 0; i < count; i++) {
    indices[i] = Math.min(Math.floor(centre), source - 1);
    centre += step;
  }
  return indices;
}

/**
 * `start + step + step …`, rounded each time, without that many additions: a window may begin ten thousand million columns on.
 * Between two powers of two all doubles are multiples of the same unit, so every step there rises by as many units; halves of
 * one, which go to the even neighbour, do so from the second step on.
 */
function addUp(start: number, step: number, times: number): number {
  let sum = start;
  let border = 2 ** -60;
  for (let left = times; left > 0; left--) {
    while (border <= sum) border *= 2;
    sum += step;
    const rise = sum + step - sum;
    const more = Math.min(left - 1, Math.floor((border - sum) / rise) - 1);
    if (more < 1) continue;
    sum += more * rise;
    left -= more;
  }
  return sum;
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
