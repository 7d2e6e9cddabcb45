/** A convolution as one matrix product over the map as it lies: no im2col, tables of offsets instead. */
import type { ConvLayer } from '../network/network.ts';
import type { StoredTensor } from '../onnx/stored-model.ts';
import { cutProduct } from '../plan/chunks.ts';
import type { PlanBuilder } from '../plan/plan-network.ts';
import { pixelAt, pixelBytes, rowBytes, type Tensor } from '../plan/tensor.ts';
import { Unsupported } from '../unsupported.ts';
import { blockChannels, makes, padded } from './blocks.ts';
import type { Fp32WeightLoad } from './steps.ts';

/** Pixels in a tile of the kernel: tables are padded to a multiple of it by repeating their last entry. */
export const tileRows = 2;

export function planGemm(builder: PlanBuilder, layer: ConvLayer): void {
  const { window } = layer;
  const src = builder.tensor(layer.input);
  const dst = builder.tensor(layer.output);
  const residual = layer.residual && builder.tensor(layer.residual);
  const pixels = dst.height * dst.width;
  const rows = Math.ceil(pixels / tileRows) * tileRows;
  const blocks = dst.channels / blockChannels;
  const taps = window.height * window.width;
  const depth = taps * src.channels;
  const blockBytes = depth * blockChannels * 4;
  const weights = builder.reserve(blocks * blockBytes);
  loadWeights(builder, layer, {
    op: 'packGemm',
    dst: weights,
    blockBytes,
    strideBytes: src.channels * blockChannels * 4,
  });

  // Pixel (y, x) of the output, as an offset in a tensor that is read from (y·stride − padding, x·stride − padding) on.
  const table = (
    t: Tensor,
    strideY: number,
    strideX: number,
    top: number,
    left: number,
  ): number => {
    const at = (i: number): number => {
      const y = Math.floor(i / dst.width);
      return pixelAt(t, y * strideY - top, (i % dst.width) * strideX - left);
    };
    const key = `pixels ${[dst.height, dst.width, at(0), pixelBytes(t), rowBytes(t), strideY, strideX].join()}`;
    return builder.constant(key, () =>
      Int32Array.from({ length: rows }, (_, i) => at(Math.min(i, pixels - 1))),
    );
  };
  const segment = window.width * src.channels;
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
  builder.step(
    makes(dst, grid.chunks, {
      op: 'gemm',
      name: layer.name,
      unroll: segment % 4 === 0 ? 4 : segment % 3 === 0 ? 3 : 1,
      src,
      dst,
      residual,
      rows,
      srcTable: table(src, window.strideY, window.strideX, window.padding.top, window.padding.left),
      dstTable: table(dst, 1, 1, 0, 0),
      residualTable: residual ? table(residual, 1, 1, 0, 0) : 0,
      segments: window.height,
      segmentBytes: segment * 4,
      segmentStride: rowBytes(src),
      blocks,
      weights,
      blockBytes,
      bias: channelConstant(builder, `bias ${layer.name}`, dst.channels, layer.bias, 0),
      relu: layer.relu,
      grid,
    }),
    [src, dst, residual],
  );
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

/** Scratch for loading: 36 vectors for Winograd's transform, then the raw weights of some blocks. */
export const stagingOffset = 36 * 16;
const stagingBytes = (channelBytes: number, blocks: number): number =>
  stagingOffset + blocks * blockChannels * channelBytes;

function positionOf({ name, data }: StoredTensor): number {
  if (data instanceof Uint8Array) throw new Unsupported(`the weights ${name} are a Constant node`);
  return data.start;
}
