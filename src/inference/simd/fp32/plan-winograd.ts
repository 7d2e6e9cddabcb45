/** A 3×3 convolution of stride 1 by Winograd's F(2×2, 3×3) or F(4×4, 3×3); the mathematics is in docs/engine.md. */
import { blockChannels, makes } from '../common/blocks.ts';
import { channelConstant } from '../common/channel-constant.ts';
import { planFloatWeights } from '../common/plan-float-weights.ts';
import { wholeTiles } from '../common/plan-product.ts';
import { multiples, tileTables } from '../common/winograd-tables.ts';
import {
  planeGap,
  planesOf,
  type TileSide,
  tilesAlong,
  transformScratch,
} from '../common/winograd-tiles.ts';
import type { ConvLayer } from '../network/network.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { pixelBytes } from '../plan/tensor.ts';
import type { Winograd } from './steps.ts';

/**
 * Three steps: transform all tiles, multiply plane by plane, transform back. A step cut along the planes of products reads each
 * weight once per image however many threads there are, and its chunks are alike.
 */
export function planWinograd(builder: PlanBuilder, layer: ConvLayer, tile: TileSide): void {
  const planes = planesOf(tile);
  const src = builder.tensor(layer.input);
  const dst = builder.tensor(layer.output);
  const residual = layer.residual && builder.tensor(layer.residual);
  const { name } = layer;
  const tiles = tilesAlong(dst.height, tile) * tilesAlong(dst.width, tile);
  const blockBytes = src.channels * blockChannels * 4;
  const blocks = dst.channels / blockChannels;
  const weightPlaneBytes = blocks * blockBytes + planeGap;
  const weights = builder.reserve(planes * weightPlaneBytes);
  planFloatWeights(builder, layer, {
    op: `packWinograd${tile}`,
    dst: weights,
    blockBytes,
    strideBytes: weightPlaneBytes,
  });
  const winograd: Winograd = {
    src,
    dst,
    residual,
    tile,
    tiles,
    ...tileTables(builder, layer, tile, { src, dst, residual }),
    inRows: multiples(builder, pixelBytes(src), tiles),
    outRows: multiples(builder, pixelBytes(dst), tiles),
    blocks,
    weights,
    blockBytes,
    weightPlaneBytes,
    bias: channelConstant(builder, `bias ${name}`, dst.channels, layer.bias, 0),
    zeros: channelConstant(builder, '', dst.channels, undefined, 0),
    relu: layer.relu,
  };
  const sizes = {
    input: wholeTiles(tiles) * pixelBytes(src) + planeGap,
    product: wholeTiles(tiles) * pixelBytes(dst) + planeGap,
  };
  const transformed = builder.block(planes * sizes.input);
  const products = builder.block(planes * sizes.product);
  const common = { winograd, planeBytes: sizes };
  const transformWork = planes * 8;
  const inTiles = cutEvenly(tiles, src.channels * transformWork);
  const outTiles = cutEvenly(tiles, dst.channels * transformWork);
  const blocksPerChunk = cutEvenly(blocks, tiles * src.channels * blockChannels, planes);
  builder.scratch(transformScratch(tile));
  builder.step(
    {
      ...{ op: 'winogradInput', name: `${name} (input)`, ...common, transformed },
      ...{ tilesPerChunk: inTiles, chunks: Math.ceil(tiles / inTiles) },
    },
    [src, transformed],
  );
  builder.step(
    {
      ...{ op: 'winogradProduct', name, ...common, transformed, products, blocksPerChunk },
      chunks: planes * Math.ceil(blocks / blocksPerChunk),
    },
    [transformed, products],
  );
  builder.step(
    makes(dst, Math.ceil(tiles / outTiles), {
      ...{ op: 'winogradOutput', name: `${name} (output)`, ...common, products },
      tilesPerChunk: outTiles,
    }),
    [products, dst, residual],
  );
}
