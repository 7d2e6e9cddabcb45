/** Layers → steps in 8 bits: bytes between the convolution of the image and the global average pool. */
import { blockChannels, makes, padded } from '../common/blocks.ts';
import { planInput, planNormalise } from '../common/plan-ends.ts';
import { winogradBorder } from '../common/winograd-tiles.ts';
import type { AddLayer, ConvLayer, Layer, MaxPoolLayer } from '../network/network.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { FormatPlanner, PlanBuilder } from '../plan/plan-builder.ts';
import { borderOf, noBorder, type Tensor, union } from '../plan/tensor.ts';
import { Unsupported } from '../unsupported.ts';
import { planImage, planInt8Gemm } from './plan-gemm.ts';
import { planInt8Winograd } from './plan-winograd.ts';
import { bytesOf, int8Conv, leastByte, ratio } from './quantities.ts';
import { takesWinograd, tile } from './winograd-tiles.ts';

export const int8: FormatPlanner = {
  format: 'int8',
  tensorLayout: ({ shape, quantised }, isInput) => ({
    elementBytes: quantised ? 1 : 4,
    channels: isInput ? shape.channels : padded(shape.channels),
  }),
  border(layer, isInput) {
    if (layer.kind !== 'conv') return noBorder;
    const own = borderOf(layer.window, layer.input.shape, layer.output.shape);
    return takesWinograd(layer, isInput) ? union(own, winogradBorder(layer, tile)) : own;
  },
  planInput,
  planLayer(builder, layer) {
    switch (layer.kind) {
      case 'conv':
        planConv(builder, layer);
        return;
      case 'maxPool':
        planMaxPool(builder, layer);
        return;
      case 'globalAveragePool':
        planAveragePool(builder, layer);
        return;
      case 'add':
        planAdd(builder, layer);
        return;
      case 'normalise':
        if (!layer.input.quantised && !layer.output.quantised && !builder.isInput(layer.input)) {
          planNormalise(builder, layer);
          return;
        }
    }
    throw new Unsupported(`${layer.kind} ${layer.name} in 8 bits`);
  },
};

function planConv(builder: PlanBuilder, layer: ConvLayer): void {
  if (builder.isInput(layer.input)) planImage(builder, layer);
  else if (!layer.quantised)
    throw new Unsupported(`conv ${layer.name}: float32 weights behind 8-bit activations`);
  else {
    const conv = int8Conv(layer, layer.quantised);
    if (takesWinograd(layer, false)) planInt8Winograd(builder, conv);
    else planInt8Gemm(builder, conv);
  }
}

function cutRows(dst: Tensor, workPerPixel: number) {
  const rowsPerChunk = cutEvenly(dst.height, dst.width * dst.channels * workPerPixel);
  return { rowsPerChunk, chunks: Math.ceil(dst.height / rowsPerChunk) };
}

function planMaxPool(builder: PlanBuilder, layer: MaxPoolLayer): void {
  const { name, window } = layer;
  const [input, output] = [bytesOf(layer.input, layer), bytesOf(layer.output, layer)];
  if (input.scale !== output.scale)
    throw new Unsupported(`maxPool ${name}: its output has another scale than its input`);
  if (input.least < output.least)
    throw new Unsupported(
      `maxPool ${name}: its output is ${output.least}..${output.most}, its input ${input.least}..${input.most}`,
    );
  const [src, dst] = [builder.tensor(layer.input), builder.tensor(layer.output)];
  // A sixteenth of the work of a multiplication, being sixteen at a time.
  const { rowsPerChunk, chunks } = cutRows(dst, window.height * window.width);
  builder.step(makes(dst, chunks, { op: 'int8MaxPool', name, src, dst, window, rowsPerChunk }), [
    src,
    dst,
  ]);
}

function planAveragePool(builder: PlanBuilder, layer: Layer): void {
  const { name } = layer;
  const { scale } = bytesOf(layer.input, layer);
  if (layer.output.quantised)
    throw new Unsupported(`globalAveragePool ${name}: its output is quantised`);
  const [src, dst] = [builder.tensor(layer.input), builder.tensor(layer.output)];
  const groups = dst.channels / blockChannels;
  const groupsPerChunk = cutEvenly(groups, src.height * src.width * blockChannels);
  const step = { op: 'int8AveragePool', name, src, dst, scale, groupsPerChunk } as const;
  builder.step(makes(dst, Math.ceil(groups / groupsPerChunk), step), [src, dst]);
}

function planAdd(builder: PlanBuilder, layer: AddLayer): void {
  const output = bytesOf(layer.output, layer);
  const scaleA = ratio(bytesOf(layer.input, layer).scale, output.scale);
  const scaleB = ratio(bytesOf(layer.other, layer).scale, output.scale);
  const [a, b] = [builder.tensor(layer.input), builder.tensor(layer.other)];
  const dst = builder.tensor(layer.output);
  const { rowsPerChunk, chunks } = cutRows(dst, 2);
  builder.step(
    makes(dst, chunks, {
      ...{ op: 'int8Add', name: layer.name, a, b, dst, scaleA, scaleB, rowsPerChunk },
      least: leastByte(output, layer.relu),
    }),
    [a, b, dst],
  );
}
