/** Bytes to the float32 values a network takes. */
import type { PreprocessRules } from '../../model/manifest.ts';
import type { Pixels } from '../pixels.ts';

export type Layout = 'NCHW' | 'NHWC';

/**
 * `value[c] = (byte * scale - mean[c]) / std[c]`, each step rounded to float32; `c` counts in the order of `rules.channels`.
 * @returns `[3, height, width]` or `[height, width, 3]`, with a buffer of its own
 */
export function toTensor(pixels: Pixels, rules: PreprocessRules, layout: Layout): Float32Array {
  const { width, height, channels, data } = pixels;
  const area = width * height;
  const tensor = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++) {
    const values = valueTable(rules, c);
    const sample = channels === 1 ? 0 : rules.channels === 'RGB' ? c : 2 - c;
    const plane =
      layout === 'NCHW' ? tensor.subarray(c * area, (c + 1) * area) : tensor.subarray(c);
    const step = layout === 'NCHW' ? 1 : 3;
    for (let to = 0, from = sample; to < plane.length; to += step, from += channels)
      plane[to] = values[data[from] as number] as number;
  }
  return tensor;
}

/** There are only 256 bytes, so there are only 256 values per channel. */
function valueTable(rules: PreprocessRules, channel: 0 | 1 | 2 | number): Float32Array {
  const mean = Math.fround(rules.mean[channel] ?? 0);
  const std = Math.fround(rules.std[channel] ?? 1);
  const scale = Math.fround(rules.scale);
  return Float32Array.from({ length: 256 }, (_, byte) =>
    Math.fround(Math.fround(Math.fround(byte * scale) - mean) / std),
  );
}
