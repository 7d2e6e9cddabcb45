/** The two Keras layouts of ResNet50's weights, told apart by the names of their layers. */
import { ModelError } from '../errors.ts';
import { type ConvLayer, convLayers, layOut } from '../resnet/layers.ts';
import type { ResnetSpec } from '../resnet/spec.ts';
import { type ConvWeights, requireSound, type WeightRole } from '../resnet/weights.ts';
import type { KerasFile } from './hdf5.ts';
import { assertConfig } from './keras-config.ts';
import { sortByRole } from './keras-roles.ts';

export interface KerasScheme {
  /** The Keras layers of a convolution and of its batch normalisation. */
  layerNames(layer: ConvLayer): { readonly conv: string; readonly norm: string };
  /** Whether a layer's name can only be of this scheme. */
  recognises(name: string): boolean;
}

/** keras-applications up to 1.0.8: `conv1`, `bn_conv1`, `res2a_branch2a`, `bn2a_branch2a`, shortcuts `branch1`. */
export const kerasV1Scheme: KerasScheme = {
  layerNames: ({ position }) => {
    if (position.part === 'stem') return { conv: 'conv1', norm: 'bn_conv1' };
    const { part, stage, block, conv } = position;
    const branch = part === 'shortcut' ? '1' : `2${letter(conv)}`;
    const name = `${stage}${letter(block)}_branch${branch}`;
    return { conv: `res${name}`, norm: `bn${name}` };
  },
  recognises: (name) => /^(bn_conv1$|(res|bn)\d[a-z]_branch)/.test(name),
};

/** TensorFlow 2's file of the same name: `conv1_conv`, `conv1_bn`, `conv2_block1_1_conv`, shortcuts number 0. */
export const kerasTf2Scheme: KerasScheme = {
  layerNames: ({ position }) => {
    if (position.part === 'stem') return { conv: 'conv1_conv', norm: 'conv1_bn' };
    const { stage, block, conv } = position;
    const name = `conv${stage}_block${block}_${conv}`;
    return { conv: `${name}_conv`, norm: `${name}_bn` };
  },
  recognises: (name) => /^(conv1_(conv|bn)$|conv\d_block\d+_)/.test(name),
};

/** 1 → a, 2 → b … */
const letter = (n: number): string => String.fromCharCode(96 + n);

/** A classifier after the pool, in files "with top"; not part of the encoder. */
const isHead = (name: string): boolean => /^(fc\d*|predictions|probs|dense(_\d+)?)$/.test(name);

/**
 * Which scheme the file's layers follow.
 * @throws ModelError when it is none of ResNet50's, or both
 */
export function recogniseScheme(file: KerasFile): KerasScheme {
  const names = [...file.layers.keys()];
  const found = [kerasV1Scheme, kerasTf2Scheme].filter((scheme) => names.some(scheme.recognises));
  const [scheme] = found;
  if (scheme && found.length === 1) return scheme;
  const sample = names.slice(0, 4).join(', ') || 'none';
  throw new ModelError(
    found.length === 0
      ? `${file.path}: Keras weights, but not ResNet50's: the layers with weights are ${sample} …`
      : `${file.path}: layers of two different ResNet50 layouts in one file`,
  );
}

/**
 * The weights of each convolution and its batch normalisation, by the layer's name and the weights' ({@link sortByRole}).
 * @throws ModelError when a layer is missing, one with weights does not belong to the network, or what a saved model says
 *   of its layers is not what the network is
 */
export function kerasWeights(
  file: KerasFile,
  scheme: KerasScheme,
  spec: ResnetSpec,
): (layer: ConvLayer) => ConvWeights {
  const expected = new Set(
    convLayers(layOut(spec)).flatMap((layer) => Object.values(scheme.layerNames(layer))),
  );
  for (const name of expected)
    if (!file.layers.has(name)) throw new ModelError(`${file.path}: layer ${name} is missing`);
  for (const name of file.layers.keys())
    if (!expected.has(name) && !isHead(name))
      throw new ModelError(
        `${file.path}: layer ${name} does not belong to ${spec.architecture}: weights of another network`,
      );
  assertConfig(file, spec, (layer) => scheme.layerNames(layer));
  return (layer) => readLayer(file, scheme, layer);
}

function readLayer(file: KerasFile, scheme: KerasScheme, layer: ConvLayer): ConvWeights {
  const { conv, norm } = scheme.layerNames(layer);
  const { inChannels, outChannels, kernel: side } = layer;
  const perChannel = [outChannels];
  const hwio = [side, side, inChannels, outChannels];
  const ofConv = layer.bias ? { kernel: hwio, bias: perChannel } : { kernel: hwio };
  const { kernel, bias } = readRoles(file, conv, ofConv);
  const { gamma, beta, mean, variance } = readRoles(file, norm, {
    ...{ gamma: perChannel, beta: perChannel, mean: perChannel, variance: perChannel },
  });
  return {
    kernel: hwioToOihw(kernel!, layer),
    bias,
    gamma: gamma!,
    beta: beta!,
    mean: mean!,
    variance: variance!,
  };
}

/** @param shapes - of each role, in the order in which Keras writes them */
function readRoles(
  file: KerasFile,
  layer: string,
  shapes: Readonly<Partial<Record<WeightRole, readonly number[]>>>,
): Partial<Record<WeightRole, Float32Array>> {
  const roles = Object.keys(shapes) as WeightRole[];
  const names = file.layers.get(layer) ?? [];
  if (names.length !== roles.length)
    throw new ModelError(
      `${file.path}: layer ${layer} has ${names.length} weights (${names.join(', ')}), not ${roles.length} (${roles.join(', ')})`,
    );
  const sorted = sortByRole(names, roles);
  if ('contradiction' in sorted)
    throw new ModelError(`${file.path}: layer ${layer}: ${sorted.contradiction}`);
  const values: Partial<Record<WeightRole, Float32Array>> = {};
  for (const [i, role] of roles.entries()) {
    const read = file.read(layer, sorted[i]!, shapes[role]!);
    requireSound(role, read, `${file.path}: layer ${layer}: ${sorted[i]}`);
    values[role] = read;
  }
  return values;
}

function hwioToOihw(hwio: Float32Array, layer: ConvLayer): Float32Array {
  const { inChannels, outChannels, kernel: side } = layer;
  const area = side * side;
  const oihw = new Float32Array(hwio.length);
  let from = 0;
  for (let position = 0; position < area; position++)
    for (let i = 0; i < inChannels; i++)
      for (let o = 0; o < outChannels; o++)
        oihw[(o * inChannels + i) * area + position] = hwio[from++]!;
  return oihw;
}
