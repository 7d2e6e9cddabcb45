/** The float32 kernels' signatures; addresses are bytes. build/kernels says what each does. */
import type { CommonKernels } from '../common/kernels.ts';

export interface Fp32Kernels extends CommonKernels {
  gemm1: Gemm;
  gemm3: Gemm;
  gemm8: Gemm;
  winograd2_input: WinogradInput;
  winograd4_input: WinogradInput;
  winograd2_output: WinogradOutput;
  winograd2_output_residual: WinogradOutput;
  winograd4_output: WinogradOutput;
  winograd4_output_residual: WinogradOutput;
  add(a: number, b: number, out: number, bytes: number, floor: number): void;
  relu(a: number, out: number, bytes: number): void;
  pack_winograd2: PackWinograd;
  pack_winograd4: PackWinograd;
}

type Gemm = (
  src: number,
  table: number,
  rows: number,
  weights: number,
  blocks: number,
  segments: number,
  segmentBytes: number,
  segmentStride: number,
  bias: number,
  out: number,
  outTable: number,
  residual: number,
  residualTable: number,
  floor: number,
) => void;

type WinogradOutput = (
  src: number,
  planeBytes: number,
  tiles: number,
  channelBytes: number,
  bias: number,
  floor: number,
  out: number,
  rowBytes: number,
  residual: number,
  residualRowBytes: number,
  table: number,
  scratch: number,
) => void;

type WinogradInput = (
  src: number,
  table: number,
  tiles: number,
  channelBytes: number,
  rowBytes: number,
  dst: number,
  planeBytes: number,
  scratch: number,
) => void;

type PackWinograd = (
  src: number,
  rowBytes: number,
  channels: number,
  scale: number,
  dst: number,
  planeBytes: number,
  scratch: number,
) => void;
