/** Where to clip an activation, from a histogram of its absolute values. */

export interface Histogram {
  /** The largest absolute value; bin `i` counts those in `(i, i + 1] * largest / counts.length`. */
  readonly largest: number;
  readonly counts: Float64Array;
  /** Values that are exactly 0: most of a ReLU's output, and exact in any scale. */
  readonly zeros: number;
}

/** How thresholds are found: the smallest squared error, or a percentile of all values. */
export type Method = 'mse' | { readonly percentile: number };

export const describeMethod = (method: Method): string =>
  method === 'mse' ? 'mse' : `percentile ${method.percentile}`;

/**
 * @param steps - equal steps between 0 and the threshold, which values will be rounded to
 * @returns a positive threshold, also for a tensor of nothing but zeros
 */
export function findThreshold(histogram: Histogram, method: Method, steps: number): number {
  if (histogram.largest === 0) return 1;
  return method === 'mse'
    ? mseThreshold(histogram, steps)
    : percentileThreshold(histogram, method.percentile);
}

/** The smallest threshold that leaves at most the given share of the values beyond it, up to a bin's width. */
function percentileThreshold({ counts, largest, zeros }: Histogram, percentile: number): number {
  const total = counts.reduce((sum, count) => sum + count, zeros);
  let allowed = total * (1 - percentile / 100);
  for (let bin = counts.length - 1; bin >= 0; bin--) {
    allowed -= counts[bin]!;
    if (allowed < 0) return ((bin + 1) * largest) / counts.length;
  }
  return largest;
}

/** Ratio of one candidate to the next, and of the smallest to the largest value. */
const [candidateRatio, leastShare] = [0.98, 0.02];

/** The threshold with the smallest squared error when values are rounded to `steps` steps and clipped. */
function mseThreshold(histogram: Histogram, steps: number): number {
  const { largest } = histogram;
  let best = largest;
  let least = Number.POSITIVE_INFINITY;
  for (let threshold = largest; threshold > leastShare * largest; threshold *= candidateRatio) {
    const error = squaredError(histogram, threshold, steps);
    if (error < least) [least, best] = [error, threshold];
  }
  return best;
}

function squaredError({ counts, largest }: Histogram, threshold: number, steps: number): number {
  const width = largest / counts.length;
  const step = threshold / steps;
  let error = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count === 0) continue;
    const value = (bin + 0.5) * width;
    const difference = value - Math.min(steps, Math.round(value / step)) * step;
    error += count * difference * difference;
  }
  return error;
}
