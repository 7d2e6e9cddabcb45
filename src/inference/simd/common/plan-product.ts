/** A convolution as one matrix product over the map as it lies: no im2col, tables of offsets instead. */
import type { ConvLayer, Window } from '../network/network.ts';
import { alignment } from '../plan/arena.ts';
import { cutProduct } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { noBorder, pixelAt, pixelBytes, rowBytes, type Tensor } from '../plan/tensor.ts';
import { blockChannels } from './blocks.ts';

/** Pixels in a tile of the kernel: tables are padded to a multiple of it by repeating their last entry. */
const tileRows = 2;

export const wholeTiles = (rows: number): number => Math.ceil(rows / tileRows) * tileRows;

/** A convolution's matrix product in any number format: its operands, its tables, its cut. `depth` is that of the sums. */
export function planProduct(builder: PlanBuilder, layer: ConvLayer) {
  const { window } = layer;
  const src = builder.tensor(layer.input);
  const dst = builder.tensor(layer.output);
  const residual = layer.residual && builder.tensor(layer.residual);
  const rows = wholeTiles(dst.height * dst.width);
  const blocks = dst.channels / blockChannels;
  const depth = window.height * window.width * src.channels;
  const grid = cutProduct({
    rows,
    rowStep: tileRows,
    blocks,
    blockStep: Math.max(1, Math.floor(alignment / (blockChannels * dst.elementBytes))),
    // What a further output pixel reads that its neighbours do not.
    rowBytes:
      pixelBytes(src) *
      Math.min(window.height, window.strideY) *
      Math.min(window.width, window.strideX),
    work: depth * blockChannels,
  });
  return {
    src,
    dst,
    residual,
    rows,
    srcTable: pixelTable(builder, src, dst, window),
    dstTable: pixelTable(builder, dst, dst),
    residualTable: residual ? pixelTable(builder, residual, dst) : 0,
    segments: window.height,
    segmentBytes: window.width * pixelBytes(src),
    segmentStride: rowBytes(src),
    blocks,
    depth,
    grid,
  };
}

/**
 * Address of a table of byte offsets in `t`, one per pixel of `dst`: of the pixel that is there, or of the first that a
 * window reads for it. Padded to whole tiles of the kernel by repeating the last entry.
 */
function pixelTable(builder: PlanBuilder, t: Tensor, dst: Tensor, window?: Window): number {
  const { strideY = 1, strideX = 1, padding = noBorder } = window ?? {};
  const start = pixelAt(t, -padding.top, -padding.left);
  const [down, right] = [strideY * rowBytes(t), strideX * pixelBytes(t)];
  const { height, width } = dst;
  const rows = wholeTiles(height * width);
  return builder.constant(`pixels ${[start, down, right, height, width].join()}`, () => {
    const table = new Int32Array(rows).fill(start + (height - 1) * down + (width - 1) * right);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++) table[i++] = start + y * down + x * right;
    return table;
  });
}
