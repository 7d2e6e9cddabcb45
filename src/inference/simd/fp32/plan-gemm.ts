/** A convolution as one matrix product over the map as it lies: no im2col, tables of offsets instead. */
import type { ConvLayer, Window } from '../network/network.ts';
import type { StoredTensor } from '../onnx/stored-model.ts';
import { cutProduct } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { noBorder, pixelAt, pixelBytes, rowBytes, type Tensor } from '../plan/tensor.ts';
import { Unsupported } from '../unsupported.ts';
import { blockChannels, makes, padded } from './blocks.ts';
import type { Fp32WeightLoad } from './steps.ts';
import { transformScratch } from './winograd-tiles.ts';

/** Pixels in a tile of the kernel: tables are padded to a multiple of it by repeating their last entry. */
export const tileRows = 2;

export const wholeTiles = (rows: number): number => Math.ceil(rows / tileRows) * tileRows;

export function planGemm(builder: PlanBuilder, layer: ConvLayer): void {
  const { grid, depth, ...product } = planProduct(builder, layer);
  const { src, dst, residual, blocks } = product;
  const blockBytes = depth * blockChannels * 4;
  const weights = builder.reserve(blocks * blockBytes);
  loadWeights(builder, layer, {
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

/** One float per stored channel: the layer's own, or `missing`; 0 for the channels that only pad. */
export function channelConstant(
  builder: PlanBuilder,
  name: string,
  channels: number,
  values: Float32Array | undefined,
  missing: number,
): number {
  const key = values ? `${name} ${channels}` : `all ${missing} ${channels}`;
  return builder.constant(key, () => {
    const constant = new Float32Array(channels).fill(values ? 0 : missing);
    if (values) constant.set(values);
    return constant;
  });
}

/** Most bytes that a thread reads at once; a block that is larger is read whole. */
const loadBytes = 512 << 10;

type Packing = Pick<Fp32WeightLoad, 'op' | 'dst' | 'blockBytes' | 'strideBytes'>;

/** Cuts the loading of a convolution's weights into pieces of some blocks each. */
export function loadWeights(builder: PlanBuilder, layer: ConvLayer, packing: Packing): void {
  const { weights, window } = layer;
  const [outChannels = 0, inChannels = 0] = weights.dims;
  const start = positionOf(weights);
  const taps = window.height * window.width;
  const channelBytes = inChannels * taps * 4;
  const blocks = padded(outChannels) / blockChannels;
  const together = Math.max(1, Math.floor(loadBytes / (blockChannels * channelBytes)));
  const scale = channelConstant(
    builder,
    `scale ${layer.name}`,
    padded(outChannels),
    layer.scale,
    1,
  );
  builder.scratch(stagingBytes(channelBytes, Math.min(together, blocks)));
  for (let block = 0; block < blocks; block += together) {
    const first = block * blockChannels;
    const count = Math.min(together, blocks - block);
    builder.load({
      ...packing,
      position: start + first * channelBytes,
      bytes: Math.min(count * blockChannels, outChannels - first) * channelBytes,
      channelBytes,
      inChannels,
      taps,
      blocks: count,
      scale: scale + first * 4,
      dst: packing.dst + block * packing.blockBytes,
    });
  }
}

/** Scratch for loading: the vectors of Winograd's larger transform, then the raw weights of some blocks. */
export const stagingOffset = transformScratch(4);
const stagingBytes = (channelBytes: number, blocks: number): number =>
  stagingOffset + blocks * blockChannels * channelBytes;

function positionOf({ name, data }: StoredTensor): number {
  if (data instanceof Uint8Array) throw new Unsupported(`the weights ${name} are a Constant node`);
  return data.start;
}
