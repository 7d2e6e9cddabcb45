/** Layers → steps in float32. */
import { blockChannels, makes, padded } from '../common/blocks.ts';
import { planInput, planNormalise } from '../common/plan-ends.ts';
import { tileSideOf, winogradBorder } from '../common/winograd-tiles.ts';
import { inputsOf, type Layer } from '../network/network.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { Step } from '../plan/plan.ts';
import type { FormatPlanner, PlanBuilder } from '../plan/plan-builder.ts';
import { borderOf, noBorder, union } from '../plan/tensor.ts';
import { Unsupported } from '../unsupported.ts';
import { planGemm } from './plan-gemm.ts';
import { planWinograd } from './plan-winograd.ts';

export const fp32: FormatPlanner = {
  format: 'fp32',

  // The first convolution reads an image's three channels as they are; everything else comes in whole blocks.
  tensorLayout: ({ shape }, isInput) => ({
    elementBytes: 4,
    channels: isInput ? shape.channels : padded(shape.channels),
  }),

  border(layer, isInput) {
    if (layer.kind !== 'conv') return noBorder;
    const own = borderOf(layer.window, layer.input.shape, layer.output.shape);
    const tile = tileSideOf(layer, isInput);
    return tile ? union(own, winogradBorder(layer, tile)) : own;
  },

  planInput,

  planLayer(builder, layer) {
    const [first, ...others] = inputsOf(layer).map(builder.isInput);
    const fromInput = first === true;
    if ((fromInput && layer.kind !== 'conv') || others.includes(true))
      throw new Unsupported(`${layer.kind} of the network's input (${layer.name})`);
    if (layer.kind === 'normalise') {
      planNormalise(builder, layer);
      return;
    }
    if (layer.kind !== 'conv') {
      planOther(builder, layer);
      return;
    }
    const tile = tileSideOf(layer, fromInput);
    if (tile) planWinograd(builder, layer, tile);
    else planGemm(builder, layer);
  },
};

type OtherLayer = Exclude<Layer, { kind: 'conv' | 'normalise' }>;

function planOther(builder: PlanBuilder, layer: OtherLayer): void {
  const { name } = layer;
  const [src, dst] = [builder.tensor(layer.input), builder.tensor(layer.output)];
  const other = layer.kind === 'add' ? builder.tensor(layer.other) : undefined;
  const byRows = (workPerPixel: number) => {
    const rowsPerChunk = cutEvenly(dst.height, dst.width * dst.channels * workPerPixel);
    return { rowsPerChunk, chunks: Math.ceil(dst.height / rowsPerChunk) };
  };
  const step = (): Step => {
    switch (layer.kind) {
      case 'maxPool': {
        const { window } = layer;
        const { rowsPerChunk, chunks } = byRows(window.height * window.width);
        return makes(dst, chunks, { op: 'maxPool', name, src, dst, window, rowsPerChunk });
      }
      case 'globalAveragePool': {
        const groups = dst.channels / blockChannels;
        const groupsPerChunk = cutEvenly(groups, src.height * src.width * blockChannels);
        const chunks = Math.ceil(groups / groupsPerChunk);
        return makes(dst, chunks, { op: 'averagePool', name, src, dst, groupsPerChunk });
      }
      case 'add': {
        const { rowsPerChunk, chunks } = byRows(2);
        const { relu } = layer;
        const operands = { a: src, b: builder.tensor(layer.other), dst };
        return makes(dst, chunks, { op: 'add', name, ...operands, relu, rowsPerChunk });
      }
      case 'relu': {
        const { rowsPerChunk, chunks } = byRows(1);
        return makes(dst, chunks, { op: 'relu', name, src, dst, rowsPerChunk });
      }
      case 'batchNorm':
        throw new Unsupported(
          `operator BatchNormalization (${name}): not right after a convolution`,
        );
    }
  };
  builder.step(step(), [src, other, dst]);
}
