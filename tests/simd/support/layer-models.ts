/** Models around one layer, which the tests look at in memory. */
import type { NodeProto, TensorProto } from '../../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { float32Tensor, graphOf, modelBytes, node, writeModel } from './models.ts';

/** Values in ±`magnitude`, the same for the same seed. */
export function seeded(length: number, seed: number, magnitude = 1): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return ((state >>> 8) / 2 ** 23 - 1) * magnitude;
  });
}

/** What the layer under test reads comes out of a 1×1 convolution of the image, as its `before`. */
export interface Surroundings {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly seed: number;
}

/**
 * image → 1×1 convolution `before` → `nodes`, which make `tested` → global average pool → `features`.
 * @param outChannels - of `tested`
 */
export function modelAround(
  { channels, height, width, seed }: Surroundings,
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  outChannels: number,
): SimdModel {
  const graph = graphOf(
    { height, width },
    {
      node: [
        node('Conv', ['input', 'before.weight'], 'before'),
        ...nodes,
        node('GlobalAveragePool', ['tested'], 'pooled'),
        node('Flatten', ['pooled'], 'features'),
      ],
      initializer: [
        float32Tensor('before.weight', [channels, 3, 1, 1], seeded(3 * channels, seed)),
        ...initializers,
      ],
    },
  );
  return writeModel(modelBytes(graph), { height, width }, outChannels);
}
