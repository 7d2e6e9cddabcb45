/** The steps of a float32 plan. A step is cut into `chunks` that any thread may run in any order. */
import type { Window } from '../network/network.ts';
import type { ArenaBlock } from '../plan/arena.ts';
import type { Grid } from '../plan/chunks.ts';
import type { Tensor } from '../plan/tensor.ts';
import type { TileSide } from './winograd-tiles.ts';

interface StepBase {
  /** The layer's name, for profiles. */
  readonly name: string;
  /** Including the one that clears the border, if there is a border. */
  readonly chunks: number;
  /** A tensor whose border the last chunk sets to zero. */
  readonly clears?: Tensor | undefined;
}

/** The image as it came → the first tensor; a chunk is `rowsPerChunk` rows. */
export interface InterleaveStep extends StepBase {
  readonly op: 'interleave';
  readonly src: ArenaBlock;
  readonly dst: Tensor;
  readonly layout: 'NCHW' | 'NHWC';
  readonly rowsPerChunk: number;
}

/** A convolution as one matrix product. */
export interface GemmStep extends StepBase {
  readonly op: 'gemm';
  readonly unroll: 1 | 3 | 8;
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly residual: Tensor | undefined;
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
  readonly bias: number;
  readonly relu: boolean;
  readonly grid: Grid;
}

/** What the three parts of a Winograd convolution share. */
export interface Winograd {
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly residual: Tensor | undefined;
  readonly tile: TileSide;
  readonly tiles: number;
  /** Addresses: see `tileTables`. */
  readonly srcTable: number;
  readonly dstTable: number;
  /** Addresses of tables of multiples of src's and dst's pixel. */
  readonly inRows: number;
  readonly outRows: number;
  readonly blocks: number;
  readonly weights: number;
  /** Bytes of packed weights per block, and per plane. */
  readonly blockBytes: number;
  readonly weightPlaneBytes: number;
  readonly bias: number;
  /** Address of as many zeros as dst has channels: the products' own bias. */
  readonly zeros: number;
  readonly relu: boolean;
}

/** Bytes of a plane of transformed input, and of one of products. */
export interface WinogradPlaneBytes {
  readonly input: number;
  readonly product: number;
}

export interface WinogradInputStep extends StepBase {
  readonly op: 'winogradInput';
  readonly winograd: Winograd;
  readonly planeBytes: WinogradPlaneBytes;
  readonly transformed: ArenaBlock;
  readonly tilesPerChunk: number;
}

/** A chunk is `blocksPerChunk` blocks of one of the products. */
export interface WinogradProductStep extends StepBase {
  readonly op: 'winogradProduct';
  readonly winograd: Winograd;
  readonly planeBytes: WinogradPlaneBytes;
  readonly transformed: ArenaBlock;
  readonly products: ArenaBlock;
  readonly blocksPerChunk: number;
}

export interface WinogradOutputStep extends StepBase {
  readonly op: 'winogradOutput';
  readonly winograd: Winograd;
  readonly planeBytes: WinogradPlaneBytes;
  readonly products: ArenaBlock;
  readonly tilesPerChunk: number;
}

export interface MaxPoolStep extends StepBase {
  readonly op: 'maxPool';
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly window: Window;
  readonly rowsPerChunk: number;
}

export interface AveragePoolStep extends StepBase {
  readonly op: 'averagePool';
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly groupsPerChunk: number;
}

export interface AddStep extends StepBase {
  readonly op: 'add';
  readonly a: Tensor;
  readonly b: Tensor;
  readonly dst: Tensor;
  readonly relu: boolean;
  readonly rowsPerChunk: number;
}

export interface ReluStep extends StepBase {
  readonly op: 'relu';
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly rowsPerChunk: number;
}

export interface NormaliseStep extends StepBase {
  readonly op: 'normalise';
  readonly src: Tensor;
  readonly dst: Tensor;
}

export type Fp32Step =
  | InterleaveStep
  | GemmStep
  | WinogradInputStep
  | WinogradProductStep
  | WinogradOutputStep
  | MaxPoolStep
  | AveragePoolStep
  | AddStep
  | ReluStep
  | NormaliseStep;

/** Some blocks of 16 output channels of a convolution's weights, from the file to their packed form. */
export interface Fp32WeightLoad {
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
