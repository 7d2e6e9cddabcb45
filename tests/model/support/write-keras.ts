/** Writes small Keras weight files in every layout that is out there. */
import { File, ready } from 'h5wasm/node';
import type { RandomLayer } from './random-weights.ts';

await ready;

export interface KerasLayout {
  /** The Keras layers of a convolution and its batch normalisation. */
  layerNames(layer: RandomLayer['layer']): { conv: string; norm: string };
  /** Names of kernel, bias, gamma, beta, mean and variance within a layer. */
  weightNames(layer: string): readonly [string, string, string, string, string, string];
}

const keras1 = (layer: string) =>
  ['W:0', 'b:0', 'gamma:0', 'beta:0', 'running_mean:0', 'running_std:0'].map(
    (part) => `${layer}_${part}`,
  ) as unknown as ReturnType<KerasLayout['weightNames']>;

const keras2 = (prefix: (layer: string) => string) => (layer: string) =>
  ['kernel:0', 'bias:0', 'gamma:0', 'beta:0', 'moving_mean:0', 'moving_variance:0'].map(
    (part) => `${prefix(layer)}/${part}`,
  ) as unknown as ReturnType<KerasLayout['weightNames']>;

// Written out here by the names of the published files, and not taken from model/, which is what is tested.
const v1Names: KerasLayout['layerNames'] = ({ position }) => {
  if (position.part === 'stem') return { conv: 'conv1', norm: 'bn_conv1' };
  const block = 'abcdefghijklmnopqrstuvwxyz'[position.block - 1];
  const branch = ['1', '2a', '2b', '2c'][position.conv];
  const rest = `${position.stage}${block}_branch${branch}`;
  return { conv: `res${rest}`, norm: `bn${rest}` };
};

const tf2Names: KerasLayout['layerNames'] = ({ position }) => {
  if (position.part === 'stem') return { conv: 'conv1_conv', norm: 'conv1_bn' };
  const rest = `conv${position.stage}_block${position.block}_${position.conv}`;
  return { conv: `${rest}_conv`, norm: `${rest}_bn` };
};

export const layouts = {
  'Keras 1': { layerNames: v1Names, weightNames: keras1 },
  'Keras 2': { layerNames: v1Names, weightNames: keras2((layer) => layer) },
  'Keras 2, a group deeper': {
    layerNames: v1Names,
    weightNames: keras2((layer) => `net/${layer}`),
  },
  'TensorFlow 2': { layerNames: tf2Names, weightNames: keras2((layer) => layer) },
} satisfies Record<string, KerasLayout>;

export interface KerasEdits {
  /** Layers that are left out. */
  readonly without?: readonly string[];
  /** Extra layers with one weight of one value. */
  readonly extra?: readonly string[];
  /** Puts everything into this group, as a saved whole model has it. */
  readonly group?: string;
  /** Splits `layer_names` into `layer_names0` and so on, as Keras does with long lists. */
  readonly split?: boolean;
  /** The arrays of a layer in other words: dataset name → shape, values. */
  readonly replace?: Readonly<
    Record<string, { shape: number[]; values: Float32Array | Float64Array }>
  >;
  /** What `weight_names` says of a layer, where that is not the order of kernel, bias · gamma, beta, mean, variance. */
  readonly listed?: (names: readonly string[]) => readonly string[];
  /** `model_config` of a saved model. */
  readonly config?: string;
  /** `track_order` and the like are left alone; compression exercises chunked storage. */
  readonly gzip?: boolean;
}

/** @param layers - kernels are OIHW, as the product has them, and are written HWIO */
export function writeKeras(
  path: string,
  layers: readonly RandomLayer[],
  layout: KerasLayout,
  edits: KerasEdits = {},
): void {
  const file = new File(path, 'w');
  const root = edits.group ? file.create_group(edits.group) : file;
  if (edits.config !== undefined) file.create_attribute('model_config', edits.config);
  const names: string[] = [];
  const add = (
    name: string,
    weights: Record<string, { shape: number[]; values: Float32Array }>,
  ) => {
    if (edits.without?.includes(name)) return;
    names.push(name);
    const group = root.create_group(name);
    const written = Object.keys(weights);
    setNames(group, 'weight_names', edits.listed?.(written) ?? written);
    for (const [weight, own] of Object.entries(weights)) {
      const { shape, values } = edits.replace?.[weight] ?? own;
      const parts = weight.split('/');
      let at = group;
      for (const part of parts.slice(0, -1))
        at = at.keys().includes(part) ? (at.get(part) as typeof at) : at.create_group(part);
      const compression = edits.gzip ? { chunks: shape, compression: 'gzip' as const } : {};
      at.create_dataset({ name: parts.at(-1)!, data: values, shape, ...compression });
    }
  };
  add('input_1', {});
  for (const { layer, kernel, bias, gamma, beta, mean, variance } of layers) {
    const { conv, norm } = layout.layerNames(layer);
    const { inChannels, outChannels, kernel: side } = layer;
    const [k, b] = layout.weightNames(conv);
    const perChannel = (values: Float32Array) => ({ shape: [outChannels], values });
    const hwio = { shape: [side, side, inChannels, outChannels], values: toHwio(kernel, layer) };
    add(conv, { [k]: hwio, [b]: perChannel(bias ?? new Float32Array(outChannels)) });
    const [, , g, be, m, v] = layout.weightNames(norm);
    add(norm, {
      [g]: perChannel(gamma),
      [be]: perChannel(beta),
      [m]: perChannel(mean),
      [v]: perChannel(variance),
    });
  }
  for (const name of edits.extra ?? [])
    add(name, { [`${name}/kernel:0`]: { shape: [1], values: new Float32Array(1) } });
  if (edits.split) {
    const half = Math.ceil(names.length / 2);
    setNames(root, 'layer_names0', names.slice(0, half));
    setNames(root, 'layer_names1', names.slice(half));
  } else setNames(root, 'layer_names', names);
  file.close();
}

interface HasAttributes {
  create_attribute(name: string, data: string[], shape?: number[], dtype?: string): void;
}

/** Fixed-length byte strings as Keras 1 and 2 write them; an empty list cannot be given a length by h5wasm's guess. */
function setNames(group: HasAttributes, name: string, values: readonly string[]): void {
  const longest = Math.max(1, ...values.map((value) => value.length));
  group.create_attribute(name, [...values], [values.length], `S${longest}`);
}

function toHwio(oihw: Float32Array, { inChannels, outChannels, kernel }: RandomLayer['layer']) {
  const area = kernel * kernel;
  return Float32Array.from(oihw, (_, to) => {
    const o = to % outChannels;
    const i = Math.floor(to / outChannels) % inChannels;
    const at = Math.floor(to / (outChannels * inChannels));
    return oihw[(o * inChannels + i) * area + at]!;
  });
}
