/** The parts of a Winograd convolution in 16 bits → calls of the kernels. */
import type { RunChunk, Thread } from '../common/thread.ts';
import { rowBytes } from '../plan/tensor.ts';
import type { Int8Kernels } from './kernels.ts';
import type {
  Int8Winograd,
  Int8WinogradInputStep,
  Int8WinogradOutputStep,
  Int8WinogradProductStep,
} from './steps.ts';
import { planes } from './winograd-tiles.ts';

/** Bytes of a tile's entry in the table of `winograd_output`. */
const outEntryBytes = 16;

const tilesFrom = ({ tiles }: Int8Winograd, first: number, perChunk: number): number =>
  Math.min(perChunk, tiles - first);

export function bindInput(
  { winograd: w, transformed, tilesPerChunk }: Int8WinogradInputStep,
  { kernels, scratch }: Thread<Int8Kernels>,
): RunChunk {
  const { src } = w;
  return (context, chunk) => {
    const first = chunk * tilesPerChunk;
    kernels.winograd_input(
      context + src.offset,
      w.srcTable + first * 4,
      tilesFrom(w, first, tilesPerChunk),
      src.channels,
      rowBytes(src),
      context + transformed.offset + first * src.channels * 2,
      w.inputBytes,
      scratch,
    );
  };
}

export function bindProduct(
  { winograd: w, transformed, products, blocksPerChunk }: Int8WinogradProductStep,
  { kernels }: Thread<Int8Kernels>,
): RunChunk {
  const segmentBytes = w.src.channels * 2;
  return (context, chunk) => {
    const plane = chunk % planes;
    const block = ((chunk - plane) / planes) * blocksPerChunk;
    kernels.gemm_words(
      context + transformed.offset + plane * w.inputBytes,
      w.inRows,
      w.tiles,
      w.weights + plane * w.weightPlaneBytes + block * w.blockBytes,
      Math.min(blocksPerChunk, w.blocks - block),
      1,
      segmentBytes,
      segmentBytes,
      0,
      context + products.offset + plane * w.productBytes + block * 64,
      w.outRows,
      0,
      0,
    );
  };
}

export function bindOutput(
  { winograd: w, products, tilesPerChunk }: Int8WinogradOutputStep,
  { kernels, scratch }: Thread<Int8Kernels>,
): RunChunk {
  const { dst, residual } = w;
  const output = residual ? kernels.winograd_output_residual : kernels.winograd_output;
  return (context, chunk) => {
    const first = chunk * tilesPerChunk;
    output(
      context + products.offset + first * dst.channels * 4,
      w.productBytes,
      tilesFrom(w, first, tilesPerChunk),
      dst.channels,
      w.factors,
      w.bias,
      w.least,
      w.residualScale,
      context + dst.offset,
      rowBytes(dst),
      residual ? context + residual.offset : 0,
      residual ? rowBytes(residual) : 0,
      w.dstTable + first * outEntryBytes,
      scratch,
    );
  };
}
