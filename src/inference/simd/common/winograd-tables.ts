/** Tables of byte offsets that the steps of a Winograd convolution go by. */
import type { ConvLayer } from '../network/network.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { pixelAt, type Tensor } from '../plan/tensor.ts';
import { wholeTiles } from './plan-product.ts';
import { type TileSide, tilesAlong } from './winograd-tiles.ts';

/** Addresses of the tables that the transforms read: a tile's offset in src; its offsets in dst and residual, its rows and columns. */
export function tileTables(
  builder: PlanBuilder,
  { window, name }: ConvLayer,
  tile: TileSide,
  { src, dst, residual }: { src: Tensor; dst: Tensor; residual: Tensor | undefined },
): { srcTable: number; dstTable: number } {
  const across = tilesAlong(dst.width, tile);
  const corners = Array.from({ length: tilesAlong(dst.height, tile) * across }, (_, i) => ({
    y: Math.floor(i / across) * tile,
    x: (i % across) * tile,
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
          Math.min(tile, dst.height - y),
          Math.min(tile, dst.width - x),
        ]),
      ),
    ),
  };
}

/** 0, 1, 2 … times a pixel's bytes: rows that lie one after the other. */
export const multiples = (builder: PlanBuilder, bytes: number, count: number): number =>
  builder.constant(`multiples ${bytes} ${wholeTiles(count)}`, () =>
    new Int32Array(wholeTiles(count)).map((_, i) => i * bytes),
  );
