/**
 * A batch normalisation with fixed statistics is an affine map per channel, so it goes into the convolution before it:
 * `gamma * (W x + b - mean) / sqrt(variance + epsilon) + beta` is a convolution with `W' = s W` and
 * `b' = beta + s (b - mean)`, where `s = gamma / sqrt(variance + epsilon)`.
 */
import type { ConvWeights } from './weights.ts';

export interface FoldedConv {
  /** `[outChannels, inChannels, kernel, kernel]`. */
  readonly kernel: Float32Array;
  /** `[outChannels]`. */
  readonly bias: Float32Array;
}

/** Computes in float64 and rounds once, to float32. */
export function foldBatchNorm(weights: ConvWeights, epsilon: number): FoldedConv {
  const { kernel, bias, gamma, beta, mean, variance } = weights;
  const outChannels = gamma.length;
  const perChannel = kernel.length / outChannels;
  const foldedKernel = new Float32Array(kernel.length);
  const foldedBias = new Float32Array(outChannels);
  for (let c = 0; c < outChannels; c++) {
    const scale = gamma[c]! / Math.sqrt(variance[c]! + epsilon);
    foldedBias[c] = beta[c]! + scale * ((bias?.[c] ?? 0) - mean[c]!);
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++)
      foldedKernel[i] = scale * kernel[i]!;
  }
  return { kernel: foldedKernel, bias: foldedBias };
}
