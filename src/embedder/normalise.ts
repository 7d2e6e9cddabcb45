import { OperatorError } from '../errors.ts';

/**
 * Divides by the Euclidean norm, in float64, and rounds once to float32.
 * @param features - `[dimension]` float32, not changed
 * @throws OperatorError INFERENCE_FAILED when a value is not finite or all are zero: there is no direction to give
 */
export function normaliseL2(features: Float32Array): Float32Array {
  const norm = Math.sqrt(sumOfSquares(features));
  return features.map((value) => value / norm);
}

/** For a model whose vectors go out as they are. @throws OperatorError as `normaliseL2` */
export function assertUsable(features: Float32Array): Float32Array {
  sumOfSquares(features);
  return features;
}

function sumOfSquares(features: Float32Array): number {
  let sum = 0;
  for (const value of features) sum += value * value;
  if (!Number.isFinite(sum) || sum === 0)
    throw new OperatorError('INFERENCE_FAILED', 'the model gave no usable vector for this image', {
      cause: new Error(`sum of squares ${sum}`),
    });
  return sum;
}
