/** What activations look like over some images: their histograms and the channels' means, in bounded memory. */
import type { Tap } from './taps.ts';
import type { Histogram } from './threshold.ts';

export interface Statistics {
  readonly histogram: Histogram;
  /** Mean of each channel over all images and pixels. */
  readonly means: Float64Array;
}

/** First pass: the largest absolute value of each tensor. */
export interface Extremes {
  add(values: readonly Float32Array[]): void;
  readonly largest: Float64Array;
}

export function collectExtremes(taps: readonly Tap[]): Extremes {
  const largest = new Float64Array(taps.length);
  return {
    largest,
    add(values) {
      for (const [i, tensor] of values.entries()) {
        let most = largest[i]!;
        for (let k = 0; k < tensor.length; k++) {
          const size = Math.abs(tensor[k]!);
          if (size > most) most = size;
        }
        largest[i] = most;
      }
    },
  };
}

/** Second pass: everything else. */
export interface Collector {
  add(values: readonly Float32Array[]): void;
  finish(): Statistics[];
}

/** Fine enough that a step of 7 bits has 16 bins even when the largest value is four times the threshold. */
const bins = 8192;

export function collectStatistics(taps: readonly Tap[], { largest }: Extremes): Collector {
  let images = 0;
  const all = taps.map(({ channels }, i) => ({
    largest: largest[i]!,
    counts: new Float64Array(bins),
    zeros: 0,
    sums: new Float64Array(channels),
  }));
  return {
    add(values) {
      images++;
      for (const [i, tensor] of values.entries()) {
        const { pixels } = taps[i]!;
        const statistics = all[i]!;
        const { counts, sums } = statistics;
        const binsPerUnit = bins / statistics.largest;
        let zeros = 0;
        for (let channel = 0, k = 0; channel < sums.length; channel++) {
          let sum = 0;
          for (const end = k + pixels; k < end; k++) {
            const value = tensor[k]!;
            sum += value;
            if (value === 0) zeros++;
            else counts[Math.min(bins - 1, Math.floor(Math.abs(value) * binsPerUnit))]!++;
          }
          sums[channel]! += sum;
        }
        statistics.zeros += zeros;
      }
    },
    finish: () =>
      all.map(({ sums, ...histogram }, i) => ({
        histogram,
        means: sums.map((sum) => sum / (images * taps[i]!.pixels)),
      })),
  };
}
