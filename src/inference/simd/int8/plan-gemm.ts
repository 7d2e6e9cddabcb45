/** Convolutions as one matrix product: of bytes, and the image's in float32. */
import { blockChannels, makes, padded } from '../common/blocks.ts';
import { channelConstant } from '../common/channel-constant.ts';
import { planFloatWeights } from '../common/plan-float-weights.ts';
import { planProduct } from '../common/plan-product.ts';
import type { ConvLayer } from '../network/network.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { Unsupported } from '../unsupported.ts';
import { bytesOf, type Int8Conv, leastByte, sumScale } from './quantities.ts';
import type { Int8WeightLoad } from './steps.ts';
import { planes } from './winograd-tiles.ts';

export function planInt8Gemm(builder: PlanBuilder, conv: Int8Conv): void {
  const { layer, residualScale, least } = conv;
  const { name, window } = layer;
  const { grid, depth, ...product } = planProduct(builder, layer);
  const { src, dst, residual, blocks } = product;
  const blockBytes = depth * blockChannels;
  const weights = builder.reserve(blocks * blockBytes);
  const overflow = builder.reserve(4);
  const taps = window.height * window.width;
  planInt8Weights(builder, layer, {
    op: 'packInt8',
    depth: src.channels,
    dst: weights,
    blockBytes,
    strideBytes: blockBytes / taps,
    overflow,
    factors: 0,
    weightScales: 0,
  });
  builder.step(
    makes(dst, grid.chunks, {
      ...{ op: 'int8Gemm', name, ...product, weights, blockBytes, residualScale, least },
      parameters: blockParameters(builder, conv),
      overflow,
      grid,
    }),
    [src, dst, residual],
  );
}

/** Per block of 16 channels: biases as integers, then what an integer is worth in steps of the output. */
function blockParameters(builder: PlanBuilder, conv: Int8Conv): number {
  const { layer, weights } = conv;
  return builder.constant(`parameters ${layer.name}`, () => {
    const channels = weights.scales.length;
    const words = new Int32Array(2 * padded(channels));
    const floats = new Float32Array(words.buffer);
    for (let channel = 0; channel < channels; channel++) {
      const lane = channel % blockChannels;
      const start = 2 * (channel - lane) + lane;
      words[start] = weights.bias?.[channel] ?? 0;
      floats[start + blockChannels] = sumScale(conv, channel);
    }
    return words;
  });
}

/** The image is float32, and so is its convolution, whose rounding the whole network would suffer from. */
export function planImage(builder: PlanBuilder, layer: ConvLayer): void {
  const { name, residual, relu, quantised } = layer;
  if (quantised || layer.input.quantised || residual)
    throw new Unsupported(
      `conv ${name}: the convolution of the image is not a plain one in float32`,
    );
  const output = bytesOf(layer.output, layer);
  const { grid, depth, residual: _, residualTable, ...product } = planProduct(builder, layer);
  const { src, dst, blocks } = product;
  const blockBytes = depth * blockChannels * 4;
  const weights = builder.reserve(blocks * blockBytes);
  const strideBytes = src.channels * blockChannels * 4;
  planFloatWeights(builder, layer, { op: 'packGemm', dst: weights, blockBytes, strideBytes });
  builder.step(
    makes(dst, grid.chunks, {
      ...{ op: 'int8Image', name, ...product, residualTable, weights, blockBytes, grid },
      unroll: product.segmentBytes % 12 === 0 ? 3 : 1,
      bias: channelConstant(builder, `bias ${name}`, dst.channels, layer.bias, 0),
      scale: output.scale,
      least: leastByte(output, relu),
    }),
    [src, dst],
  );
}

/** Most bytes that a thread reads at once; a block that is larger is read whole. */
const loadBytes = 256 << 10;

type Packing = Omit<
  Int8WeightLoad,
  'position' | 'bytes' | 'channelBytes' | 'inChannels' | 'taps' | 'blocks'
>;

/** Cuts the loading of a convolution's weights into pieces of some blocks each. */
export function planInt8Weights(builder: PlanBuilder, layer: ConvLayer, packing: Packing): void {
  const { name, dims, data } = layer.weights;
  if (data instanceof Uint8Array) throw new Unsupported(`the weights ${name} are a Constant node`);
  const [outChannels = 0, inChannels = 0, height = 0, width = 0] = dims;
  const taps = height * width;
  const channelBytes = inChannels * taps;
  const blocks = padded(outChannels) / blockChannels;
  const together = Math.max(1, Math.floor(loadBytes / (blockChannels * channelBytes)));
  builder.scratch(stagingBytes(packing, channelBytes, Math.min(together, blocks)));
  for (let block = 0; block < blocks; block += together) {
    const first = block * blockChannels;
    const count = Math.min(together, blocks - block);
    builder.load({
      ...packing,
      position: data.start + first * channelBytes,
      bytes: Math.min(count * blockChannels, outChannels - first) * channelBytes,
      channelBytes,
      inChannels,
      taps,
      blocks: count,
      dst: packing.dst + block * packing.blockBytes,
      factors: packing.factors + block * winogradFactorBytes,
      weightScales: packing.weightScales + first * 4,
    });
  }
}

/** Of a block's 16 channels. */
export const winogradFactorBytes = planes * blockChannels * 4;

/**
 * Scratch for loading: for Winograd a transform's 36 vectors, sums and largest values of a plane's 16 channels, their
 * powers of two, and a block's expanded weights; then the raw weights of some blocks.
 */
export const scratchOf = (depth: number) => ({
  measured: planes * 16,
  powers: planes * 16 + 2 * blockChannels * 4,
  expanded: planes * 16 + 3 * blockChannels * 4,
  planeBytes: depth * blockChannels * 4,
  staging: planes * 16 + 3 * blockChannels * 4 + planes * depth * blockChannels * 4,
});

function stagingBytes({ op, depth }: Packing, channelBytes: number, blocks: number): number {
  const raw = blocks * blockChannels * channelBytes;
  return op === 'packInt8' ? raw : scratchOf(depth).staging + raw;
}
