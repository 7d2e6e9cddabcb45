/** Steps → calls of the kernels. */
import { bindMaxPool } from '../common/bind.ts';
import { blockChannels } from '../common/blocks.ts';
import type { RunChunk, Thread } from '../common/thread.ts';
import { pixelAt, pixelBytes, rowBytes } from '../plan/tensor.ts';
import { bindInput, bindOutput, bindProduct } from './bind-winograd.ts';
import type { Int8Kernels } from './kernels.ts';
import type {
  ImageStep,
  Int8AddStep,
  Int8AveragePoolStep,
  Int8GemmStep,
  Int8Step,
} from './steps.ts';

export function bindInt8(step: Int8Step, thread: Thread<Int8Kernels>): RunChunk {
  switch (step.op) {
    case 'int8Image':
      return bindImage(step, thread);
    case 'int8Gemm':
      return bindGemm(step, thread);
    case 'int8WinogradInput':
      return bindInput(step, thread);
    case 'int8WinogradProduct':
      return bindProduct(step, thread);
    case 'int8WinogradOutput':
      return bindOutput(step, thread);
    case 'int8MaxPool':
      return bindMaxPool(step, thread);
    case 'int8AveragePool':
      return bindAveragePool(step, thread);
    case 'int8Add':
      return bindAdd(step, thread);
  }
}

function bindImage(step: ImageStep, { kernels }: Thread<Int8Kernels>): RunChunk {
  const { src, dst, grid } = step;
  const kernel = step.unroll === 3 ? kernels.gemm_image3 : kernels.gemm_image1;
  return (context, chunk) => {
    const group = chunk % grid.blockGroups;
    const row = ((chunk - group) / grid.blockGroups) * grid.rowsPerChunk;
    const block = group * grid.blocksPerChunk;
    kernel(
      context + src.offset,
      step.srcTable + row * 4,
      Math.min(grid.rowsPerChunk, step.rows - row),
      step.weights + block * step.blockBytes,
      Math.min(grid.blocksPerChunk, step.blocks - block),
      step.segments,
      step.segmentBytes,
      step.segmentStride,
      step.bias + block * blockChannels * 4,
      context + dst.offset + block * blockChannels,
      step.dstTable + row * 4,
      0,
      0,
      step.scale,
      step.least,
    );
  };
}

/** Bytes of a block's biases and factors. */
const parameterBytes = blockChannels * 8;

function bindGemm(step: Int8GemmStep, { kernels, memory }: Thread<Int8Kernels>): RunChunk {
  const { src, dst, residual, grid } = step;
  const words = new Int32Array(memory.buffer);
  return (context, chunk) => {
    const group = chunk % grid.blockGroups;
    const row = ((chunk - group) / grid.blockGroups) * grid.rowsPerChunk;
    const block = group * grid.blocksPerChunk;
    // Known once all threads have loaded their weights, which is before the first image.
    const kernel = words[step.overflow / 4] === 0 ? kernels.gemm_paired : kernels.gemm_widened;
    kernel(
      context + src.offset,
      step.srcTable + row * 4,
      Math.min(grid.rowsPerChunk, step.rows - row),
      step.weights + block * step.blockBytes,
      Math.min(grid.blocksPerChunk, step.blocks - block),
      step.segments,
      step.segmentBytes,
      step.segmentStride,
      step.parameters + block * parameterBytes,
      context + dst.offset + block * blockChannels,
      step.dstTable + row * 4,
      residual ? context + residual.offset + block * blockChannels : 0,
      residual ? step.residualTable + row * 4 : 0,
      step.residualScale,
      step.least,
      1,
    );
  };
}

function bindAveragePool(
  { src, dst, scale, groupsPerChunk }: Int8AveragePoolStep,
  { kernels }: Thread<Int8Kernels>,
): RunChunk {
  const groups = dst.channels / blockChannels;
  const meanScale = scale / (src.height * src.width);
  return (context, chunk) => {
    const last = Math.min(groups, (chunk + 1) * groupsPerChunk);
    for (let group = chunk * groupsPerChunk; group < last; group++)
      kernels.average_pool(
        context + src.offset + pixelAt(src, 0, 0) + group * blockChannels,
        rowBytes(src),
        src.height,
        pixelBytes(src),
        src.width,
        context + dst.offset + pixelAt(dst, 0, 0) + group * blockChannels * 4,
        meanScale,
      );
  };
}

function bindAdd(step: Int8AddStep, { kernels }: Thread<Int8Kernels>): RunChunk {
  const { a, b, dst, rowsPerChunk } = step;
  const length = dst.width * pixelBytes(dst);
  return (context, chunk) => {
    const last = Math.min(dst.height, (chunk + 1) * rowsPerChunk);
    for (let y = chunk * rowsPerChunk; y < last; y++)
      kernels.add(
        context + a.offset + pixelAt(a, y, 0),
        context + b.offset + pixelAt(b, y, 0),
        context + dst.offset + pixelAt(dst, y, 0),
        length,
        step.scaleA,
        step.scaleB,
        step.least,
      );
  };
}
