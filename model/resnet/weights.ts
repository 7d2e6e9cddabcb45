/** The numbers of a convolution and its batch normalisation, from whatever file they come. */
import { ModelError } from '../errors.ts';
import type { ConvLayer } from './layers.ts';

export interface ConvWeights {
  /** `[outChannels, inChannels, kernel, kernel]`, ONNX's and PyTorch's order. */
  readonly kernel: Float32Array;
  /** `[outChannels]`, as are all that follow. */
  readonly bias?: Float32Array | undefined;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/**
 * Gives a layer's weights, read when they are asked for, so that a network need not be in memory twice.
 * @throws ModelError naming the file and the layer: missing, misshapen, not finite
 */
export type WeightReader = (layer: ConvLayer) => ConvWeights;

/**
 * @param where - the file and the tensor, for the message
 * @throws ModelError when a value is NaN or infinite
 */
export function requireFinite(values: Float32Array, where: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new ModelError(`${where}: value ${i} is ${values[i]}; the file is damaged`);
  }
}

/** @throws ModelError when a variance is negative: a damaged file, or statistics in another order */
export function requireVariance(values: Float32Array, where: string): void {
  const index = values.findIndex((value) => value < 0);
  if (index >= 0)
    throw new ModelError(
      `${where}: value ${index} is ${values[index]}, and a variance cannot be negative`,
    );
}
