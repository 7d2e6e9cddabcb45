/** Weights for the naive pass, straight from a Keras 1 file or from the test's own arrays. */
import { type Dataset, File, type Group, ready } from 'h5wasm/node';
import type { NaiveConv } from './naive-forward.ts';
import type { RandomLayer } from './random-weights.ts';

await ready;

/** Reads every tensor by its published name; batch norm stays as it is. */
export function readKeras1(path: string): Map<string, NaiveConv> {
  const file = new File(path, 'r');
  const values = (group: string, dataset: string) =>
    ((file.get(group) as Group).get(dataset) as Dataset).value as Float32Array;
  const convs = new Map<string, NaiveConv>();
  for (const group of file.keys()) {
    if (group !== 'conv1' && !group.startsWith('res')) continue;
    const norm = group === 'conv1' ? 'bn_conv1' : group.replace('res', 'bn');
    convs.set(group.replace('res', ''), {
      kernel: values(group, `${group}_W:0`),
      bias: values(group, `${group}_b:0`),
      gamma: values(norm, `${norm}_gamma:0`),
      beta: values(norm, `${norm}_beta:0`),
      mean: values(norm, `${norm}_running_mean:0`),
      variance: values(norm, `${norm}_running_std:0`),
    });
  }
  file.close();
  return convs;
}

/** Random layers, whose kernels are OIHW, under Keras's names. */
export function fromRandomLayers(layers: readonly RandomLayer[]): Map<string, NaiveConv> {
  return new Map(
    layers.map(({ layer, kernel, ...rest }) => {
      const { position, inChannels, outChannels } = layer;
      const area = layer.kernel ** 2;
      const hwio = Float32Array.from(kernel, (_, to) => {
        const o = to % outChannels;
        const i = Math.floor(to / outChannels) % inChannels;
        return kernel[(o * inChannels + i) * area + Math.floor(to / (outChannels * inChannels))]!;
      });
      const branch = position.part === 'stem' ? '' : ['1', '2a', '2b', '2c'][position.conv];
      const name =
        position.part === 'stem'
          ? 'conv1'
          : `${position.stage}${'abcdefghijklmnopqrstuvwxyz'[position.block - 1]}_branch${branch}`;
      return [name, { ...rest, kernel: hwio }] as const;
    }),
  );
}
