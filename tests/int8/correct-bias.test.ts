import { expect, test } from 'bun:test';
import { correctBias } from '../../model/quantize/correct-bias.ts';

test('correctBias, the mean output of the rounded weights is that of the weights', () => {
  // Two output channels, two inputs, two places of the kernel.
  const weights = Float32Array.of(0.5, 0.25, -0.75, 1, 2, 1, 0, -3);
  const values = Int8Array.of(1, 0, -2, 3, 4, 2, 1, -6);
  const scales = Float32Array.of(0.4, 0.5);
  const bias = Float32Array.of(1, -1);
  const means = Float64Array.of(2, 4);
  const quantised = { values, scales, widened: 0 };
  const shape = { outputs: 2, inputs: 2, taps: 2 };
  const corrected = correctBias(bias, weights, quantised, shape, means);
  for (const channel of [0, 1]) {
    let [exact, rounded] = [bias[channel]!, corrected[channel]!];
    for (let i = 0; i < 4; i++) {
      const mean = means[i >> 1]!;
      exact += weights[4 * channel + i]! * mean;
      rounded += values[4 * channel + i]! * scales[channel]! * mean;
    }
    expect(rounded).toBeCloseTo(exact, 5);
  }
  expect([...corrected]).not.toEqual([...bias]);
});
