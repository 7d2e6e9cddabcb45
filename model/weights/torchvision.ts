/** torchvision's names for a residual network's tensors: `layer1.0.conv1.weight`, `bn1.running_var`, `fc.weight` … */
import { ModelError } from '../errors.ts';
import { type ConvLayer, convLayers, layOut } from '../resnet/layers.ts';
import type { ResnetSpec } from '../resnet/spec.ts';
import { requireSound, type WeightReader, type WeightRole } from '../resnet/weights.ts';
import type { SafetensorsFile } from './safetensors.ts';

function tensorNames({ position }: ConvLayer): { conv: string; norm: string } {
  if (position.part === 'stem') return { conv: 'conv1', norm: 'bn1' };
  const { part, stage, block, conv } = position;
  const prefix = `layer${stage - 1}.${block - 1}`;
  return part === 'shortcut'
    ? { conv: `${prefix}.downsample.0`, norm: `${prefix}.downsample.1` }
    : { conv: `${prefix}.conv${conv}`, norm: `${prefix}.bn${conv}` };
}

/** The classifier, and counters that only training reads. */
const isBesideTheEncoder = (name: string): boolean => /^fc\.|\.num_batches_tracked$/.test(name);

/** @throws ModelError when a tensor is missing or does not belong to the network */
export function torchvisionWeights(file: SafetensorsFile, spec: ResnetSpec): WeightReader {
  const parts = ['weight', 'bias', 'running_mean', 'running_var'] as const;
  const expected = new Set(
    convLayers(layOut(spec)).flatMap((layer) => {
      const { conv, norm } = tensorNames(layer);
      return [`${conv}.weight`, ...parts.map((part) => `${norm}.${part}`)];
    }),
  );
  for (const name of expected)
    if (!file.shapes.has(name)) throw new ModelError(`${file.path}: tensor ${name} is missing`);
  for (const name of file.shapes.keys())
    if (!expected.has(name) && !isBesideTheEncoder(name))
      throw new ModelError(
        `${file.path}: tensor ${name} does not belong to ${spec.architecture}: weights of another network`,
      );

  return (layer) => {
    const { inChannels, outChannels, kernel: side } = layer;
    const { conv, norm } = tensorNames(layer);
    const perChannel = [outChannels];
    const read = (role: WeightRole, name: string, shape: number[]): Float32Array => {
      const values = file.read(name, shape);
      requireSound(role, values, `${file.path}: tensor ${name}`);
      return values;
    };
    return {
      kernel: read('kernel', `${conv}.weight`, [outChannels, inChannels, side, side]),
      gamma: read('gamma', `${norm}.weight`, perChannel),
      beta: read('beta', `${norm}.bias`, perChannel),
      mean: read('mean', `${norm}.running_mean`, perChannel),
      variance: read('variance', `${norm}.running_var`, perChannel),
    };
  };
}
