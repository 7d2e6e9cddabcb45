/**
 * Resizing by Pillow's `BILINEAR`: a triangle filter that grows with the reduction, so that it antialiases; first along the
 * rows, then along the columns, in 8 bits between the two, with weights in fixed point (Resample.c). Bit for bit the same.
 */
import type { Pixels } from '../pixels.ts';
import type { Window } from './window.ts';

const precisionBits = 32 - 8 - 2;
/** Half a unit: what is shifted out of the sums is rounded. */
const half = 1 << (precisionBits - 1);

interface Weights {
  /** Per target index: the first source index it draws on, and how many. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` weights per target index, scaled by 2^22. */
  readonly values: Int32Array;
  readonly size: number;
}

/** Weights of a target index, at most, where `source` samples become `target`. */
const weightsEach = (source: number, target: number): number =>
  Math.ceil(Math.max(source / target, 1)) * 2 + 1;

/** Weights of `length` target indices from `start` on, where `source` samples become `target`. */
function triangleWeights(source: number, target: number, start: number, length: number): Weights {
  const scale = source / target;
  const support = Math.max(scale, 1);
  const size = weightsEach(source, target);
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const values = new Int32Array(length * size);
  const exact = new Float64Array(size);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), source) - begin;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const distance = Math.abs((k + begin - centre + 0.5) * (1 / support));
      exact[k] = distance < 1 ? 1 - distance : 0;
      sum += exact[k] as number;
    }
    for (let k = 0; k < taps; k++)
      values[i * size + k] = Math.trunc(0.5 + ((exact[k] as number) / sum) * (1 << precisionBits));
    first[i] = begin;
    count[i] = taps;
  }
  return { first, count, values, size };
}

/** @returns RGB of the window's size, or grey for grey */
export function resizeBilinear(pixels: Pixels, window: Window): Pixels {
  const channels = pixels.channels === 1 ? 1 : 3;
  const { width, height } = window;
  const across = triangleWeights(pixels.width, window.fullWidth, window.left, width);
  const down = triangleWeights(pixels.height, window.fullHeight, window.top, height);
  const top = down.first[0] as number;
  const bottom = (down.first[height - 1] as number) + (down.count[height - 1] as number);
  const wide = resizeRows(pixels, top, bottom, across, channels);
  return { width, height, channels, data: resizeColumns(wide, width * channels, top, down) };
}

/** Bytes of the weights, and of the rows of RGB between the two passes, for an image of this size. */
export function bilinearBytes(width: number, height: number, window: Window): number {
  const across = weightsEach(width, window.fullWidth);
  const down = weightsEach(height, window.fullHeight);
  const rows = Math.min(height, Math.ceil(window.height * (height / window.fullHeight)) + down);
  const weights = window.width * across + window.height * down;
  return 4 * weights + 8 * Math.max(across, down) + 3 * rows * window.width;
}

/** The rows from `top` to `bottom`, resized. An unchanged width has the weight 1 on each sample, and changes nothing. */
function resizeRows(
  { width, channels: stored, data }: Pixels,
  top: number,
  bottom: number,
  { first, count, values, size }: Weights,
  channels: number,
): Uint8ClampedArray {
  const out = new Uint8ClampedArray((bottom - top) * first.length * channels);
  for (let y = top, to = 0; y < bottom; y++) {
    for (let x = 0; x < first.length; x++) {
      const start = (y * width + (first[x] as number)) * stored;
      const taps = count[x] as number;
      for (let c = 0; c < channels; c++) {
        let sum = half;
        for (let k = 0; k < taps; k++)
          sum += (data[start + k * stored + c] as number) * (values[x * size + k] as number);
        out[to++] = sum >> precisionBits;
      }
    }
  }
  return out;
}

/** @param length - samples in a row of `data`, whose first row is row `top` of the image */
function resizeColumns(
  data: Uint8ClampedArray,
  length: number,
  top: number,
  { first, count, values, size }: Weights,
): Uint8ClampedArray {
  const out = new Uint8ClampedArray(length * first.length);
  const sums = new Int32Array(length);
  for (let y = 0; y < first.length; y++) {
    sums.fill(half);
    for (let k = 0; k < (count[y] as number); k++) {
      const weight = values[y * size + k] as number;
      const row = ((first[y] as number) - top + k) * length;
      for (let i = 0; i < length; i++)
        sums[i] = (sums[i] as number) + (data[row + i] as number) * weight;
    }
    for (let i = 0; i < length; i++) out[y * length + i] = (sums[i] as number) >> precisionBits;
  }
  return out;
}
