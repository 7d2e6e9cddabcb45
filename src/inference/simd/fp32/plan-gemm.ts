/** A convolution in float32 as one matrix product. */
import { blockChannels, makes } from '../common/blocks.ts';
import { channelConstant } from '../common/channel-constant.ts';
import { planFloatWeights } from '../common/plan-float-weights.ts';
import { planProduct } from '../common/plan-product.ts';
import type { ConvLayer } from '../network/network.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import type { Tensor } from '../plan/tensor.ts';

export function planGemm(builder: PlanBuilder, layer: ConvLayer): void {
  const { grid, depth, ...product } = planProduct(builder, layer);
  const { src, dst, residual, blocks } = product;
  const blockBytes = depth * blockChannels * 4;
  const weights = builder.reserve(blocks * blockBytes);
  planFloatWeights(builder, layer, {
    op: 'packGemm',
    dst: weights,
    blockBytes,
    strideBytes: src.channels * blockChannels * 4,
  });
  builder.step(
    makes(dst, grid.chunks, {
      op: 'gemm',
      name: layer.name,
      ...product,
      unroll: unrollOf(layer, src),
      weights,
      blockBytes,
      bias: channelConstant(builder, `bias ${layer.name}`, dst.channels, layer.bias, 0),
      relu: layer.relu,
      grid,
    }),
    [src, dst, residual],
  );
}

function unrollOf({ window }: ConvLayer, src: Tensor): 1 | 3 | 8 {
  const segment = window.width * src.channels;
  return segment % 8 === 0 ? 8 : segment % 3 === 0 ? 3 : 1;
}
