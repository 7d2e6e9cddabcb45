/** Convolution weights in 8 bits: one scale per output channel, no zero point. */

export interface QuantisedWeights {
  /** In the order of the float weights: `[out, in, rows, columns]`. */
  readonly values: Int8Array;
  /** Per output channel, float32: weight = value * scale. */
  readonly scales: Float32Array;
  /** Channels whose scale had to grow so that 16-bit sums cannot overflow. */
  readonly widened: number;
}

export interface WeightShape {
  readonly outputs: number;
  readonly inputs: number;
  /** Kernel positions. */
  readonly taps: number;
}

const largestWeight = 127;
/** Of an activation after a ReLU. */
const largestInput = 127;

/**
 * Rounds weights to -127..127. A channel's scale is the one that just holds its largest weight, or the next larger for
 * which the simd engine's 16-bit sums of four products cannot overflow (docs/int8.md).
 * @param weights - `[out, in, rows, columns]`
 * @param leastScales - per output channel, a scale not to go below
 */
export function quantiseWeights(
  weights: Float32Array,
  shape: WeightShape,
  leastScales: Float32Array,
): QuantisedWeights {
  const size = shape.inputs * shape.taps;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(shape.outputs);
  let widened = 0;
  for (let channel = 0; channel < shape.outputs; channel++) {
    const from = weights.subarray(channel * size, (channel + 1) * size);
    const to = values.subarray(channel * size, (channel + 1) * size);
    const largest = from.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    // Any scale does for a channel of zeros.
    let scale = Math.fround(Math.max(largest / largestWeight, leastScales[channel]!)) || 1;
    round(from, scale, to);
    if (overflows(to, shape)) {
      widened++;
      do {
        scale = Math.fround(scale * 1.005);
        round(from, scale, to);
      } while (overflows(to, shape));
    }
    scales[channel] = scale;
  }
  return { values, scales, widened };
}

function round(weights: Float32Array, scale: number, to: Int8Array): void {
  for (let i = 0; i < weights.length; i++) {
    const value = Math.round(weights[i]! / scale);
    to[i] = Math.max(-largestWeight, Math.min(largestWeight, value));
  }
}

/**
 * Whether a 16-bit sum can overflow. The kernels take the input channels of a kernel position by eights and add up, in
 * 16 bits, the products of channels 0, 1, 4, 5 and those of 2, 3, 6, 7. Inputs are 0..127: the extremes of a sum are 127
 * times its positive weights and 127 times its negative ones.
 * @param values - one output channel, `[in, rows, columns]`
 */
export function overflows(
  values: Int8Array,
  { inputs, taps }: Omit<WeightShape, 'outputs'>,
): boolean {
  for (let tap = 0; tap < taps; tap++)
    for (let first = 0; first < inputs; first += 8)
      for (const lane of [0, 2]) {
        let positive = 0;
        let negative = 0;
        for (const offset of [0, 1, 4, 5]) {
          const channel = first + lane + offset;
          const value = channel < inputs ? values[channel * taps + tap]! : 0;
          if (value > 0) positive += value;
          else negative -= value;
        }
        if (positive * largestInput > 32767 || negative * largestInput > 32768) return true;
      }
  return false;
}
