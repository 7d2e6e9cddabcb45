/** Random weights in the layout of the real ones, for a first look where no weights can be had. */
import { createRandom, type Random } from '../random.ts';
import { convLayers, layOut } from '../resnet/layers.ts';
import type { ResnetSpec } from '../resnet/spec.ts';
import type { ConvWeights, WeightReader } from '../resnet/weights.ts';

/** Any number does; this one is part of the promise that untrained models are the same everywhere. */
export const untrainedSeed = 50;

/** Keeps the sum over a stage's blocks near the size of its shortcut, so that fifty layers neither explode nor vanish. */
const residualGain = 0.25;

/**
 * He-normal kernels (https://arxiv.org/abs/1502.01852) whose filters each sum to zero, batch norm that does nothing except to scale the last
 * convolution of each block by a small gain. Each layer has its own random stream: a layer's weights do not depend on
 * the order of reading.
 */
export function untrainedWeights(spec: ResnetSpec, seed: number = untrainedSeed): WeightReader {
  const network = layOut(spec);
  const streams = new Map(convLayers(network).map(({ id }, index) => [id, index]));
  const lastOfBlock = new Set(network.blocks.map(({ convs }) => convs.at(-1)?.id));
  return (layer): ConvWeights => {
    const { id, inChannels, outChannels, kernel: side } = layer;
    const stream = streams.get(id);
    if (stream === undefined) throw new RangeError(`${spec.architecture} has no layer ${id}`);
    const random = createRandom(seed, stream);
    const fanIn = inChannels * side * side;
    const kernel = new Float32Array(outChannels * fanIn);
    for (let o = 0; o < outChannels; o++)
      drawFilter(kernel.subarray(o * fanIn, (o + 1) * fanIn), random);
    const zeros = () => new Float32Array(outChannels);
    const ones = () => new Float32Array(outChannels).fill(1);
    return {
      kernel,
      bias: layer.bias ? zeros() : undefined,
      gamma: lastOfBlock.has(id) ? ones().fill(residualGain) : ones(),
      beta: zeros(),
      mean: zeros(),
      variance: ones(),
    };
  };
}

/**
 * Without its mean: what ReLU leaves is positive everywhere, and filters that add it up make the vectors of all images
 * point nearly the same way.
 */
function drawFilter(filter: Float32Array, random: Random): void {
  const deviation = Math.sqrt(2 / filter.length);
  let sum = 0;
  for (let i = 0; i < filter.length; i++) {
    filter[i] = deviation * random.normal();
    sum += filter[i]!;
  }
  const mean = sum / filter.length;
  for (let i = 0; i < filter.length; i++) filter[i]! -= mean;
}
