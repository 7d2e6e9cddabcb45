/** The parts of a Winograd convolution → calls of the kernels. */
import type { RunChunk, Thread } from '../common/thread.ts';
import { planesOf } from '../common/winograd-tiles.ts';
import { pixelBytes, rowBytes } from '../plan/tensor.ts';
import { floorOf } from './floor.ts';
import type { Fp32Kernels } from './kernels.ts';
import type { WinogradInputStep, WinogradOutputStep, WinogradProductStep } from './steps.ts';

/** Bytes of a tile's entry in the table of a `winograd…_output`. */
const outEntryBytes = 16;

export function bindWinogradInput(step: WinogradInputStep, thread: Thread<Fp32Kernels>): RunChunk {
  const { winograd: w, transformed, tilesPerChunk } = step;
  const { kernels, scratch } = thread;
  const kernel = kernels[`winograd${w.tile}_input`];
  const pixel = pixelBytes(w.src);
  return (context, chunk) => {
    const first = chunk * tilesPerChunk;
    kernel(
      context + w.src.offset,
      w.srcTable + first * 4,
      Math.min(tilesPerChunk, w.tiles - first),
      pixel,
      rowBytes(w.src),
      context + transformed.offset + first * pixel,
      step.planeBytes.input,
      scratch,
    );
  };
}

export function bindWinogradProduct(
  step: WinogradProductStep,
  { kernels }: Thread<Fp32Kernels>,
): RunChunk {
  const { winograd: w, planeBytes, transformed, products, blocksPerChunk } = step;
  const planes = planesOf(w.tile);
  const pixel = pixelBytes(w.src);
  return (context, chunk) => {
    const plane = chunk % planes;
    const block = ((chunk - plane) / planes) * blocksPerChunk;
    kernels.gemm8(
      context + transformed.offset + plane * planeBytes.input,
      w.inRows,
      w.tiles,
      w.weights + plane * w.weightPlaneBytes + block * w.blockBytes,
      Math.min(blocksPerChunk, w.blocks - block),
      1,
      pixel,
      pixel,
      w.zeros,
      context + products.offset + plane * planeBytes.product + block * 64,
      w.outRows,
      0,
      0,
      floorOf(false),
    );
  };
}

export function bindWinogradOutput(
  step: WinogradOutputStep,
  thread: Thread<Fp32Kernels>,
): RunChunk {
  const { winograd: w, products, tilesPerChunk } = step;
  const { kernels, scratch } = thread;
  const { dst, residual } = w;
  const pixel = pixelBytes(dst);
  const kernel = kernels[`winograd${w.tile}_output${residual ? '_residual' : ''}`];
  const floor = floorOf(w.relu);
  return (context, chunk) => {
    const first = chunk * tilesPerChunk;
    kernel(
      context + products.offset + first * pixel,
      step.planeBytes.product,
      Math.min(tilesPerChunk, w.tiles - first),
      pixel,
      w.bias,
      floor,
      context + dst.offset,
      rowBytes(dst),
      residual ? context + residual.offset : 0,
      residual ? rowBytes(residual) : 0,
      w.dstTable + first * outEntryBytes,
      scratch,
    );
  };
}
