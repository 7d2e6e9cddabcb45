/** A model's file → its network, ready to be planned. */

import type { FileSlice } from '../../model/file-slice.ts';
import type { Manifest } from '../../model/manifest.ts';
import { buildNetwork } from './network/build-network.ts';
import { fuse } from './network/fuse.ts';
import { neededNodes } from './network/needed-nodes.ts';
import { type Network, size } from './network/network.ts';
import { openSliceReader } from './onnx/slice-reader.ts';
import { readStoredModel } from './onnx/stored-model.ts';
import { Unsupported } from './unsupported.ts';

export interface SimdModel {
  readonly slice: FileSlice;
  readonly manifest: Pick<Manifest, 'graph' | 'dimension'>;
}

/** @throws Unsupported naming what the kernels cannot do */
export function openNetwork({ slice, manifest }: SimdModel): Network {
  const { input, output, layout, height, width } = manifest.graph;
  const reader = openSliceReader(slice);
  try {
    const stored = readStoredModel(reader);
    const inputShape = { channels: 3, height, width };
    const graph = { ...stored.graph, node: neededNodes(stored.graph.node, output) };
    const ends = { input, output, layout, inputShape };
    const network = fuse(buildNetwork({ ...stored, graph }, reader, ends));
    if (size(network.output.shape) !== manifest.dimension)
      throw new Unsupported(
        `the graph's output has ${size(network.output.shape)} values, ${manifest.dimension} expected`,
      );
    return network;
  } finally {
    reader.close();
  }
}
