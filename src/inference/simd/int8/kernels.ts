/** The int8 kernels' signatures; addresses are bytes. build/kernels/int8 says what each does. */
import type { CommonKernels } from '../common/kernels.ts';

export interface Int8Kernels extends CommonKernels {
  gemm_paired: Int8Gemm;
  gemm_widened: Int8Gemm;
  gemm_words: (...product: Product) => void;
  gemm_image1: ImageGemm;
  gemm_image3: ImageGemm;
  winograd_input(
    src: number,
    table: number,
    tiles: number,
    channels: number,
    rowBytes: number,
    dst: number,
    planeBytes: number,
    scratch: number,
  ): void;
  winograd_output: WinogradOutput;
  winograd_output_residual: WinogradOutput;
  add(
    a: number,
    b: number,
    out: number,
    length: number,
    scaleA: number,
    scaleB: number,
    least: number,
  ): void;
  pack_int8(
    src: number,
    rowBytes: number,
    channels: number,
    taps: number,
    dst: number,
    tapBytes: number,
  ): void;
  check_int8(src: number, bytes: number, flag: number): void;
  expand_winograd(
    src: number,
    rowBytes: number,
    channels: number,
    dst: number,
    planeBytes: number,
    scratch: number,
  ): void;
  measure_plane(src: number, channels: number, dst: number): void;
  round_plane(src: number, channels: number, factors: number, dst: number): void;
}

/** What every matrix product takes. */
export type Product = [
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
];

type Int8Gemm = (
  ...args: [...product: Product, residualScale: number, least: number, one: number]
) => void;

type ImageGemm = (...args: [...product: Product, scale: number, least: number]) => void;

type WinogradOutput = (
  src: number,
  planeBytes: number,
  tiles: number,
  channels: number,
  factors: number,
  bias: number,
  least: number,
  residualScale: number,
  out: number,
  rowBytes: number,
  residual: number,
  residualRowBytes: number,
  table: number,
  scratch: number,
) => void;
