/**
 * Takes the mean error of rounded weights out of the bias. Rounding shifts a convolution's output by
 * Σ (w − ŵ) x on average over x, the same for every image: the bias can bear it (Nagel, van Baalen, Blankevoort, Welling,
 * "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2; here with the means of
 * calibration images). The padding's zeros are not counted.
 */
import type { QuantisedWeights, WeightShape } from './weights.ts';

/**
 * @param weights - the float weights, `[out, in, rows, columns]`
 * @param means - of the input channels
 */
export function correctBias(
  bias: Float32Array,
  weights: Float32Array,
  quantised: QuantisedWeights,
  { inputs, taps }: WeightShape,
  means: Float64Array,
): Float32Array {
  return bias.map((value, channel) => {
    const scale = quantised.scales[channel]!;
    let shift = 0;
    let i = channel * inputs * taps;
    for (let input = 0; input < inputs; input++) {
      let difference = 0;
      for (const end = i + taps; i < end; i++)
        difference += weights[i]! - quantised.values[i]! * scale;
      shift += difference * means[input]!;
    }
    return value + shift;
  });
}
