/** Weights with statistics drawn at random, so that nothing in a batch normalisation happens to be 0 or 1. */
import { createRandom } from '../../../model/random.ts';
import { type ConvLayer, convLayers, layOut } from '../../../model/resnet/layers.ts';
import type { ResnetSpec } from '../../../model/resnet/spec.ts';
import type { ConvWeights } from '../../../model/resnet/weights.ts';

/** A network small enough to be run in milliseconds, with every kind of block that ResNet50 has. */
export const tinySpec = (spec: ResnetSpec): ResnetSpec => ({
  ...spec,
  blocks: [2, 2, 1, 1],
  stemFilters: 8,
  filters: [4, 6, 8, 10],
  inputSize: { height: 48, width: 48 },
});

export interface RandomLayer extends ConvWeights {
  readonly layer: ConvLayer;
}

/** Every layer of `spec`; variances from 0.05 to 2.05, so that epsilon matters. */
export function randomLayers(spec: ResnetSpec, seed: number): RandomLayer[] {
  return convLayers(layOut(spec)).map((layer, index) => {
    const random = createRandom(seed, index);
    const uniform = () => random.uint32() / 2 ** 32;
    const { inChannels, outChannels, kernel: side } = layer;
    const fanIn = inChannels * side * side;
    const fill = (length: number, next: () => number) => {
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) values[i] = next();
      return values;
    };
    const deviation = Math.sqrt(2 / fanIn);
    return {
      layer,
      kernel: fill(outChannels * fanIn, () => deviation * random.normal()),
      bias: layer.bias ? fill(outChannels, () => 0.2 * random.normal()) : undefined,
      gamma: fill(outChannels, () => 0.5 + uniform()),
      beta: fill(outChannels, () => 0.3 * random.normal()),
      mean: fill(outChannels, () => 0.3 * random.normal()),
      variance: fill(outChannels, () => 0.05 + 2 * uniform()),
    };
  });
}

/** A tensor with values like those of preprocessed images, `[3, height, width]`. */
export function randomInput(height: number, width: number, seed: number): Float32Array {
  const random = createRandom(seed, 1000);
  const values = new Float32Array(3 * height * width);
  // A different mean for each channel: swapped channels must not look alike.
  for (let i = 0; i < values.length; i++)
    values[i] = 60 * random.normal() + 30 * Math.floor(i / (height * width));
  return values;
}
