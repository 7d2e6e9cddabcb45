/** Weights in float32: a float32 network's, and those of any network's convolution of the image. */
import type { ConvLayer } from '../network/network.ts';
import type { StoredTensor } from '../onnx/stored-model.ts';
import type { PlanBuilder } from '../plan/plan-builder.ts';
import { Unsupported } from '../unsupported.ts';
import { blockChannels, padded } from './blocks.ts';
import { channelConstant } from './channel-constant.ts';
import type { FloatWeightLoad } from './steps.ts';
import { transformScratch } from './winograd-tiles.ts';

/** Most bytes that a thread reads at once; a block that is larger is read whole. */
const loadBytes = 512 << 10;

type Packing = Pick<FloatWeightLoad, 'op' | 'dst' | 'blockBytes' | 'strideBytes'>;

/** Cuts the loading of a convolution's weights into pieces of some blocks each. */
export function planFloatWeights(builder: PlanBuilder, layer: ConvLayer, packing: Packing): void {
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
