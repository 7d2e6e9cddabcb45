/** A 3×3 convolution of stride 1 by Winograd's F(4×4, 3×3); the mathematics is in docs/engine.md. */
import { type ConvLayer, type Edges, pixels } from '../network/network.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { pixelAt, pixelBytes, type Tensor } from '../plan/tensor.ts';
import { blockChannels, makes } from './blocks.ts';
import { channelConstant, loadWeights, wholeTiles } from './plan-gemm.ts';
import type { Winograd } from './steps.ts';

const tileSide = 4;
export const planes = 36;
/** Bytes between planes beyond their size, so that the 36 do not all fall on the same lines of the cache. */
export const planeGap = 192;
/** 36 vectors for a transform to pass its rows and columns through. */
export const transformScratch = planes * 16;

/**
 * The transformed weights are four times as large. On a map of 14×14 a value of them is used for 16 tiles, which is worth
 * it; on 7×7 for 4, where a ResNet50 would gain 3 % of its time for 113 MB.
 */
const leastPixels = 14 * 14;

export const takesWinograd = (
  { window, output, weights }: ConvLayer,
  fromInput: boolean,
): boolean =>
  !fromInput &&
  weights.dims[2] === 3 &&
  weights.dims[3] === 3 &&
  window.strideY === 1 &&
  window.strideX === 1 &&
  pixels(output.shape) >= leastPixels;

export const tilesAlong = (length: number): number => Math.ceil(length / tileSide);

/** The last tiles read as far as whole tiles need it, even if the map ends before. */
export function winogradBorder({ window, input, output }: ConvLayer): Edges {
  const beyond = (outputs: number, before: number, inputs: number): number =>
    Math.max(0, tilesAlong(outputs) * tileSide + 2 - before - inputs);
  const { top, left } = window.padding;
  return {
    top,
    left,
    bottom: beyond(output.shape.height, top, input.shape.height),
    right: beyond(output.shape.width, left, input.shape.width),
  };
}

/**
 * Three steps: transform all tiles, multiply plane by plane, transform back. A step cut along the 36 products reads each
 * weight once per image however many threads there are, and its chunks are alike.
 */
export function planWinograd(builder: PlanBuilder, layer: ConvLayer): void {
  const src = builder.tensor(layer.input);
  const dst = builder.tensor(layer.output);
  const residual = layer.residual && builder.tensor(layer.residual);
  const { name } = layer;
  const tiles = tilesAlong(dst.height) * tilesAlong(dst.width);
  const blockBytes = src.channels * blockChannels * 4;
  const blocks = dst.channels / blockChannels;
  const weightPlaneBytes = blocks * blockBytes + planeGap;
  const weights = builder.reserve(planes * weightPlaneBytes);
  loadWeights(builder, layer, {
    op: 'packWinograd',
    dst: weights,
    blockBytes,
    strideBytes: weightPlaneBytes,
  });
  const winograd: Winograd = {
    src,
    dst,
    residual,
    tiles,
    ...tileTables(builder, layer, src, dst, residual),
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
    inputBytes: wholeTiles(tiles) * pixelBytes(src) + planeGap,
    productBytes: wholeTiles(tiles) * pixelBytes(dst) + planeGap,
  };
  const transformed = builder.block(planes * sizes.inputBytes);
  const products = builder.block(planes * sizes.productBytes);
  const common = { winograd, planes: sizes };
  const transformWork = planes * 8;
  const inTiles = cutEvenly(tiles, src.channels * transformWork);
  const outTiles = cutEvenly(tiles, dst.channels * transformWork);
  const blocksPerChunk = cutEvenly(blocks, tiles * src.channels * blockChannels, planes);
  builder.scratch(transformScratch);
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

/** 0, 1, 2 … times a pixel's bytes: rows that lie one after the other. */
export const multiples = (builder: PlanBuilder, bytes: number, count: number): number =>
  builder.constant(`multiples ${bytes} ${wholeTiles(count)}`, () =>
    new Int32Array(wholeTiles(count)).map((_, i) => i * bytes),
  );

export function tileTables(
  builder: PlanBuilder,
  { window, name }: ConvLayer,
  src: Tensor,
  dst: Tensor,
  residual: Tensor | undefined,
): { srcTable: number; dstTable: number } {
  const across = tilesAlong(dst.width);
  const corners = Array.from({ length: tilesAlong(dst.height) * across }, (_, tile) => ({
    y: Math.floor(tile / across) * tileSide,
    x: (tile % across) * tileSide,
  }));
  const { top, left } = window.padding;
  return {
    srcTable: builder.constant(`tiles in ${name}`, () =>
      Int32Array.from(corners, ({ y, x }) => pixelAt(src, y - top, x - left)),
    ),
    dstTable: builder.constant(`tiles out ${name}`, () =>
      Int32Array.from(
        corners.flatMap(({ y, x }) => [
          pixelAt(dst, y, x),
          residual ? pixelAt(residual, y, x) : 0,
          Math.min(tileSide, dst.height - y),
          Math.min(tileSide, dst.width - x),
        ]),
      ),
    ),
  };
}
