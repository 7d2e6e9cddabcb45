/** The steps of a float32 plan. */
import type {
  InterleaveStep,
  NormaliseStep,
  ProductStep,
  StepBase,
  WindowStep,
} from '../common/steps.ts';
import type { TileSide } from '../common/winograd-tiles.ts';
import type { ArenaBlock } from '../plan/arena.ts';
import type { Tensor } from '../plan/tensor.ts';

/** A convolution as one matrix product. */
export interface GemmStep extends ProductStep {
  readonly op: 'gemm';
  readonly unroll: 1 | 3 | 8;
  readonly residual: Tensor | undefined;
  readonly bias: number;
  readonly relu: boolean;
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

export interface MaxPoolStep extends WindowStep {
  readonly op: 'maxPool';
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
