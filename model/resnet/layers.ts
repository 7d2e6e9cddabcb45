/** The convolutions of a residual network, in the order in which they run. */
import type { ResnetSpec } from './spec.ts';

/** Where a convolution stands; weight files' naming schemes are functions of this. */
export type Position =
  | { readonly part: 'stem' }
  | {
      readonly part: 'conv' | 'shortcut';
      /** From 2, as in the paper. */
      readonly stage: number;
      /** From 1. */
      readonly block: number;
      /** From 1 within the block; the shortcut is 0. */
      readonly conv: number;
    };

/** One convolution followed by a batch normalisation over its output channels. */
export interface ConvLayer {
  /** Unique within the network: `stem`, `stage3.block1.conv2`, `stage3.block1.shortcut`. */
  readonly id: string;
  readonly position: Position;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly stride: number;
  /** Zeros added on every side. */
  readonly padding: number;
  readonly bias: boolean;
}

export interface Block {
  readonly id: string;
  /** In order; a ReLU follows each but the last, which is followed by the addition and then a ReLU. */
  readonly convs: readonly ConvLayer[];
  /** The projection of the block's input; without one the input itself is added. */
  readonly shortcut: ConvLayer | undefined;
}

export interface Network {
  readonly stem: ConvLayer;
  readonly blocks: readonly Block[];
  /** Channels of the last stage, the length of the feature vector. */
  readonly dimension: number;
}

const expansion = { basic: 1, bottleneck: 4 } as const;

export function layOut(spec: ResnetSpec): Network {
  if (spec.filters.length !== spec.blocks.length)
    throw new RangeError(`${spec.architecture}: ${spec.blocks.length} stages need as many filters`);
  const stem: ConvLayer = {
    id: 'stem',
    position: { part: 'stem' },
    inChannels: 3,
    outChannels: spec.stemFilters,
    kernel: 7,
    stride: 2,
    padding: 3,
    bias: spec.convBias,
  };
  const blocks: Block[] = [];
  let channels = spec.stemFilters;
  for (const [index, count] of spec.blocks.entries()) {
    const filters = spec.filters[index]!;
    for (let block = 1; block <= count; block++) {
      const stride = block === 1 && index > 0 ? 2 : 1;
      blocks.push(layOutBlock(spec, { stage: index + 2, block, channels, filters, stride }));
      channels = filters * expansion[spec.block];
    }
  }
  return { stem, blocks, dimension: channels };
}

interface BlockPlan {
  stage: number;
  block: number;
  /** Channels that come in. */
  channels: number;
  filters: number;
  stride: number;
}

function layOutBlock(spec: ResnetSpec, plan: BlockPlan): Block {
  const { stage, block, channels, filters, stride } = plan;
  const id = `stage${stage}.block${block}`;
  const outChannels = filters * expansion[spec.block];
  const layer = (
    conv: number,
    from: number,
    to: number,
    kernel: number,
    strides: number,
  ): ConvLayer => {
    const part = conv === 0 ? 'shortcut' : 'conv';
    return {
      id: `${id}.${conv === 0 ? 'shortcut' : `conv${conv}`}`,
      position: { part, stage, block, conv },
      inChannels: from,
      outChannels: to,
      kernel,
      stride: strides,
      padding: (kernel - 1) / 2,
      bias: spec.convBias,
    };
  };
  const first = spec.strideOn === '1x1' ? stride : 1;
  const convs =
    spec.block === 'basic'
      ? [layer(1, channels, filters, 3, stride), layer(2, filters, filters, 3, 1)]
      : [
          layer(1, channels, filters, 1, first),
          layer(2, filters, filters, 3, stride / first),
          layer(3, filters, outChannels, 1, 1),
        ];
  const projected = stride !== 1 || channels !== outChannels;
  return {
    id,
    convs,
    shortcut: projected ? layer(0, channels, outChannels, 1, stride) : undefined,
  };
}

/** Every convolution: stem first, then block by block, a block's shortcut last. */
export function convLayers(network: Network): ConvLayer[] {
  const rest = network.blocks.flatMap(({ convs, shortcut }) =>
    shortcut ? [...convs, shortcut] : convs,
  );
  return [network.stem, ...rest];
}
