/** A 3×3 convolution of stride 1 by Winograd's F(4×4, 3×3) in 16 bits; the mathematics is in docs/int8.md. */
import { blockChannels, makes } from '../common/blocks.ts';
import { channelConstant } from '../common/channel-constant.ts';
import { wholeTiles } from '../common/plan-product.ts';
import { multiples, tileTables } from '../common/winograd-tables.ts';
import { planeGap, tilesAlong, transformScratch } from '../common/winograd-tiles.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { planInt8Weights, winogradFactorBytes } from './plan-gemm.ts';
import { type Int8Conv, sumScale } from './quantities.ts';
import type { Int8Winograd } from './steps.ts';
import { planes, tile } from './winograd-tiles.ts';

/** Expanded weights are 576 times G g Gᵀ, to be integers. */
const expansion = 576;

export function planInt8Winograd(builder: PlanBuilder, conv: Int8Conv): void {
  const { layer, weights: quantised, residualScale, least } = conv;
  const { name } = layer;
  const src = builder.tensor(layer.input);
  const dst = builder.tensor(layer.output);
  const residual = layer.residual && builder.tensor(layer.residual);
  const tiles = tilesAlong(dst.height, tile) * tilesAlong(dst.width, tile);
  const [inRow, outRow] = [src.channels * 2, dst.channels * 4];
  const blockBytes = src.channels * blockChannels * 2;
  const blocks = dst.channels / blockChannels;
  const weightPlaneBytes = blocks * blockBytes;
  const weights = builder.reserve(planes * weightPlaneBytes);
  const factors = builder.reserve(blocks * winogradFactorBytes);
  const perChannel = (what: string, of: (channel: number) => number): number =>
    channelConstant(
      builder,
      `${what} ${name}`,
      dst.channels,
      quantised.scales.map((_, channel) => of(channel)),
      0,
    );
  planInt8Weights(builder, layer, {
    op: 'packInt8Winograd',
    depth: src.channels,
    dst: weights,
    blockBytes,
    strideBytes: weightPlaneBytes,
    overflow: 0,
    factors,
    weightScales: perChannel('weights', (channel) => sumScale(conv, channel) / expansion),
  });
  const winograd: Int8Winograd = {
    ...{ src, dst, residual, residualScale, tiles, blocks, weights, blockBytes, weightPlaneBytes },
    ...tileTables(builder, layer, tile, { src, dst, residual }),
    inRows: multiples(builder, inRow, tiles),
    outRows: multiples(builder, outRow, tiles),
    factors,
    bias: perChannel(
      'bias',
      (channel) => (quantised.bias?.[channel] ?? 0) * sumScale(conv, channel),
    ),
    least,
    inputBytes: wholeTiles(tiles) * inRow + planeGap,
    productBytes: wholeTiles(tiles) * outRow + planeGap,
  };
  planSteps(builder, name, winograd);
}

function planSteps(builder: PlanBuilder, name: string, winograd: Int8Winograd): void {
  const { src, dst, residual, tiles, blocks } = winograd;
  const transformed = builder.block(planes * winograd.inputBytes);
  const products = builder.block(planes * winograd.productBytes);
  const transformWork = planes * 12;
  const inTiles = cutEvenly(tiles, src.channels * transformWork);
  const outTiles = cutEvenly(tiles, dst.channels * transformWork);
  const blocksPerChunk = cutEvenly(blocks, tiles * src.channels * blockChannels, planes);
  builder.scratch(transformScratch(tile));
  builder.step(
    {
      ...{ op: 'int8WinogradInput', name: `${name} (input)`, winograd, transformed },
      ...{ tilesPerChunk: inTiles, chunks: Math.ceil(tiles / inTiles) },
    },
    [src, transformed],
  );
  builder.step(
    {
      ...{ op: 'int8WinogradProduct', name, winograd, transformed, products, blocksPerChunk },
      chunks: planes * Math.ceil(blocks / blocksPerChunk),
    },
    [transformed, products],
  );
  builder.step(
    makes(dst, Math.ceil(tiles / outTiles), {
      ...{ op: 'int8WinogradOutput', name: `${name} (output)`, winograd, products },
      tilesPerChunk: outTiles,
    }),
    [products, dst, residual],
  );
}
