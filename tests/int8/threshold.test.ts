import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { collectExtremes, collectStatistics } from '../../model/quantize/statistics.ts';
import { findThreshold } from '../../model/quantize/threshold.ts';
import { seeded } from '../simd/support/layer-models.ts';

const taps = [
  { name: 'a', channels: 3, pixels: 50 },
  { name: 'b', channels: 2, pixels: 7 },
];
/** Values with a long tail, half of them zero. */
const tailed = (length: number, seed: number): Float32Array =>
  seeded(length, seed).map((x) => (x < 0 ? 0 : x ** 9 * 20));
const images = Array.from({ length: 4 }, (_, i) => [
  tailed(150, i),
  seeded(14, i + 100, 3).map((x) => x - 1),
]);

function statisticsOf(values: readonly (readonly Float32Array[])[]) {
  const extremes = collectExtremes(taps);
  for (const image of values) extremes.add(image);
  const collector = collectStatistics(taps, extremes);
  for (const image of values) collector.add(image);
  return collector.finish();
}

test('statistics, count every value once, with the largest and the means of the channels', () => {
  const statistics = statisticsOf(images);
  for (const [i, { channels, pixels }] of taps.entries()) {
    const all = images.flatMap((image) => Array.from(image[i]!));
    const { histogram, means } = statistics[i]!;
    expect(histogram.largest).toBe(Math.max(...all.map(Math.abs)));
    expect(histogram.zeros).toBe(all.filter((x) => x === 0).length);
    expect(histogram.counts.reduce((a, b) => a + b, 0)).toBe(all.length - histogram.zeros);
    const width = histogram.largest / histogram.counts.length;
    const within = (low: number, high: number) =>
      all.filter((x) => Math.abs(x) > low && Math.abs(x) <= high).length;
    for (const bin of [0, 100, histogram.counts.length - 1]) {
      // float32 values never stand on a bin's edge here.
      expect(histogram.counts[bin]).toBe(within(bin * width, (bin + 1) * width * (1 + 1e-12)));
    }
    for (let channel = 0; channel < channels; channel++) {
      const own = images.flatMap((image) =>
        Array.from(image[i]!.subarray(channel * pixels, (channel + 1) * pixels)),
      );
      expect(means[channel]).toBeCloseTo(own.reduce((a, b) => a + b) / own.length, 9);
    }
  }
});

test('the percentile threshold, leaves no more than that share beyond it', () => {
  const values = images.flatMap((image) => Array.from(image[0]!));
  const [{ histogram }] = statisticsOf(images) as [ReturnType<typeof statisticsOf>[number]];
  for (const percentile of [50, 90, 99, 99.9, 100]) {
    const threshold = findThreshold(histogram, { percentile }, 127);
    const beyond = values.filter((x) => x > threshold).length;
    expect(beyond).toBeLessThanOrEqual(values.length * (1 - percentile / 100) + 1e-9);
    // One bin lower would leave more, unless everything fits.
    const lower = threshold - (2 * histogram.largest) / histogram.counts.length;
    if (percentile > 50 && percentile < 100)
      expect(values.filter((x) => x > lower).length).toBeGreaterThan(
        values.length * (1 - percentile / 100) - 1,
      );
  }
  expect(findThreshold(histogram, { percentile: 100 }, 127)).toBe(histogram.largest);
});

test('the MSE threshold, has a squared error next to the least over the values themselves', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(7, 31, 127), (seed, steps) => {
      const values = tailed(2000, seed);
      const tap = [{ name: 'a', channels: 1, pixels: 2000 }];
      const extremes = collectExtremes(tap);
      extremes.add([values]);
      const collector = collectStatistics(tap, extremes);
      collector.add([values]);
      const [{ histogram }] = collector.finish() as [ReturnType<typeof statisticsOf>[number]];
      const error = (threshold: number): number => {
        const step = threshold / steps;
        return values.reduce((sum, x) => {
          const rounded = Math.min(steps, Math.round(x / step)) * step;
          return sum + (x - rounded) ** 2;
        }, 0);
      };
      const found = error(findThreshold(histogram, 'mse', steps));
      let least = Number.POSITIVE_INFINITY;
      for (let share = 0.02; share <= 1; share += 0.002)
        least = Math.min(least, error(share * histogram.largest));
      expect(found).toBeLessThanOrEqual(least * 1.25);
    }),
    { numRuns: 20, seed: 1, examples: [[425253, 127]] },
  );
});

test('thresholds, are positive even for a tensor of nothing but zeros', () => {
  const histogram = { largest: 0, counts: new Float64Array(8), zeros: 100 };
  expect(findThreshold(histogram, 'mse', 127)).toBeGreaterThan(0);
  expect(findThreshold(histogram, { percentile: 99 }, 127)).toBeGreaterThan(0);
});
