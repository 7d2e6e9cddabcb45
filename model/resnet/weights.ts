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

export type WeightRole = keyof ConvWeights;

/**
 * Roles that a trained network cannot have nothing but zeros in: a layer that multiplies by zero gives the same for every
 * image. Biases, betas and means may all be zero.
 */
const neverZero: ReadonlySet<WeightRole> = new Set(['kernel', 'gamma', 'variance']);

/**
 * @param where - the file and the tensor, for the message
 * @throws ModelError when a value is not finite, a variance is negative, or all is zero that cannot be: a tensor that was
 *   never written, or copied as a hole, reads as zeros
 */
export function requireSound(role: WeightRole, values: Float32Array, where: string): void {
  const damaged = values.findIndex((value) => !Number.isFinite(value));
  if (damaged >= 0)
    throw new ModelError(`${where}: value ${damaged} is ${values[damaged]}; the file is damaged`);
  const negative = role === 'variance' ? values.findIndex((value) => value < 0) : -1;
  if (negative >= 0)
    throw new ModelError(
      `${where}: value ${negative} is ${values[negative]}, and a variance cannot be negative`,
    );
  if (neverZero.has(role) && values.every((value) => value === 0))
    throw new ModelError(
      `${where}: all ${values.length} values are zero, which no trained ${role} is: never written, lost in a copy, or not trained`,
    );
}
