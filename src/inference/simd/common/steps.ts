/** What the steps of every number format have in common, and the steps in float32 that are at both ends of any plan. */
import type { Window } from '../network/network.ts';
import type { ArenaBlock } from '../plan/arena.ts';
import type { Grid } from '../plan/chunks.ts';
import type { Tensor } from '../plan/tensor.ts';
import type { TileSide } from './winograd-tiles.ts';

/** A step is cut into `chunks` that any thread may run in any order. */
export interface StepBase {
  /** The layer's name, for profiles. */
  readonly name: string;
  /** Including the one that clears the border, if there is a border. */
  readonly chunks: number;
  /** A tensor whose border the last chunk sets to zero. */
  readonly clears?: Tensor | undefined;
}

/** A convolution as one matrix product. */
export interface ProductStep extends StepBase {
  readonly src: Tensor;
  readonly dst: Tensor;
  /** Output pixels; a multiple of the kernel's rows, the last pixel repeated. */
  readonly rows: number;
  /** Addresses of the tables of `rows` byte offsets within src, dst and residual. */
  readonly srcTable: number;
  readonly dstTable: number;
  readonly residualTable: number;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly segmentStride: number;
  readonly blocks: number;
  readonly weights: number;
  /** Bytes of packed weights per block. */
  readonly blockBytes: number;
  readonly grid: Grid;
}

export interface WindowStep extends StepBase {
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly window: Window;
  readonly rowsPerChunk: number;
}

/** The image as it came → the first tensor; a chunk is `rowsPerChunk` rows. */
export interface InterleaveStep extends StepBase {
  readonly op: 'interleave';
  readonly src: ArenaBlock;
  readonly dst: Tensor;
  readonly layout: 'NCHW' | 'NHWC';
  readonly rowsPerChunk: number;
}

export interface NormaliseStep extends StepBase {
  readonly op: 'normalise';
  readonly src: Tensor;
  readonly dst: Tensor;
}

/** Some blocks of 16 output channels of a convolution's weights in float32, from the file to their packed form. */
export interface FloatWeightLoad {
  readonly op: 'packGemm' | `packWinograd${TileSide}`;
  /** Byte position within the model's file of the first block's first value, and bytes to read. */
  readonly position: number;
  readonly bytes: number;
  /** Bytes of one output channel in the file. */
  readonly channelBytes: number;
  readonly inChannels: number;
  readonly taps: number;
  readonly blocks: number;
  /** Address of a factor per output channel. */
  readonly scale: number;
  readonly dst: number;
  readonly blockBytes: number;
  /** Bytes between taps of a block, or between planes. */
  readonly strideBytes: number;
}
