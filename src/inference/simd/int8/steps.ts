/** The steps of an int8 plan beside those of float32, which it has at both ends of the network. */
import type { ProductStep, StepBase, WindowStep } from '../common/steps.ts';
import type { ArenaBlock } from '../plan/arena.ts';
import type { Tensor } from '../plan/tensor.ts';

interface BytesProductStep extends ProductStep {
  /** The least byte of the output: 0 with a ReLU. */
  readonly least: number;
}

/** The convolution of the image, in float32 but for its output. */
export interface ImageStep extends BytesProductStep {
  readonly op: 'int8Image';
  readonly unroll: 1 | 3;
  readonly bias: number;
  /** Of the output: value = byte · scale. */
  readonly scale: number;
}

/** A convolution of bytes as one matrix product. */
export interface Int8GemmStep extends BytesProductStep {
  readonly op: 'int8Gemm';
  readonly residual: Tensor | undefined;
  /** Step of the residual in steps of the output. */
  readonly residualScale: number;
  /** Address of each block's 16 biases (i32) and 16 factors (f32). */
  readonly parameters: number;
  /** Address of the word that is not 0 when 16-bit sums of these weights could overflow. */
  readonly overflow: number;
}

/** What the three parts of a Winograd convolution share. */
export interface Int8Winograd {
  readonly src: Tensor;
  readonly dst: Tensor;
  readonly residual: Tensor | undefined;
  readonly residualScale: number;
  readonly tiles: number;
  /** Addresses: a tile's offset in src; and its offsets in dst and residual, its rows and its columns. */
  readonly srcTable: number;
  readonly dstTable: number;
  /** Addresses of tables of multiples of a row of 16-bit inputs, and of 32-bit products. */
  readonly inRows: number;
  readonly outRows: number;
  readonly blocks: number;
  readonly weights: number;
  /** Bytes of packed weights per block, and per plane (one of 36). */
  readonly blockBytes: number;
  readonly weightPlaneBytes: number;
  /** Address of [4 channels][plane][channel] floats: a product's worth in steps of the output. */
  readonly factors: number;
  /** Address of a float per channel, in steps of the output. */
  readonly bias: number;
  readonly least: number;
  /** Bytes between the 36 planes of transformed inputs, and of products. */
  readonly inputBytes: number;
  readonly productBytes: number;
}

export interface Int8WinogradInputStep extends StepBase {
  readonly op: 'int8WinogradInput';
  readonly winograd: Int8Winograd;
  readonly transformed: ArenaBlock;
  readonly tilesPerChunk: number;
}

/** A chunk is `blocksPerChunk` blocks of one of the 36 products. */
export interface Int8WinogradProductStep extends StepBase {
  readonly op: 'int8WinogradProduct';
  readonly winograd: Int8Winograd;
  readonly transformed: ArenaBlock;
  readonly products: ArenaBlock;
  readonly blocksPerChunk: number;
}

export interface Int8WinogradOutputStep extends StepBase {
  readonly op: 'int8WinogradOutput';
  readonly winograd: Int8Winograd;
  readonly products: ArenaBlock;
  readonly tilesPerChunk: number;
}

export interface Int8MaxPoolStep extends WindowStep {
  readonly op: 'int8MaxPool';
}

/** Bytes to floats. */
export interface Int8AveragePoolStep extends StepBase {
  readonly op: 'int8AveragePool';
  readonly src: Tensor;
  readonly dst: Tensor;
  /** Of src. */
  readonly scale: number;
  readonly groupsPerChunk: number;
}

export interface Int8AddStep extends StepBase {
  readonly op: 'int8Add';
  readonly a: Tensor;
  readonly b: Tensor;
  readonly dst: Tensor;
  /** Steps of a and b in steps of dst. */
  readonly scaleA: number;
  readonly scaleB: number;
  readonly least: number;
  readonly rowsPerChunk: number;
}

export type Int8Step =
  | ImageStep
  | Int8GemmStep
  | Int8WinogradInputStep
  | Int8WinogradProductStep
  | Int8WinogradOutputStep
  | Int8MaxPoolStep
  | Int8AveragePoolStep
  | Int8AddStep;

/** Some blocks of 16 output channels of a convolution's 8-bit weights, from the file to their packed form. */
export interface Int8WeightLoad {
  readonly op: 'packInt8' | 'packInt8Winograd';
  /** Byte position within the model's file of the first block's first value, and bytes to read. */
  readonly position: number;
  readonly bytes: number;
  /** Bytes of one output channel in the file. */
  readonly channelBytes: number;
  readonly inChannels: number;
  /** Input channels as they are stored, padded. */
  readonly depth: number;
  readonly taps: number;
  readonly blocks: number;
  readonly dst: number;
  readonly blockBytes: number;
  /** Bytes between taps of a block, or between the 36 planes. */
  readonly strideBytes: number;
  /** packInt8: see {@link Int8GemmStep.overflow}. */
  readonly overflow: number;
  /** packInt8Winograd: see {@link Int8Winograd.factors}, of the first block; and what a weight is worth, per channel. */
  readonly factors: number;
  readonly weightScales: number;
}
