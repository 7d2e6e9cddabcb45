/** Steps → calls of the kernels. */
import { bindInterleave, bindMaxPool, bindNormalise } from '../common/bind.ts';
import { blockChannels } from '../common/blocks.ts';
import type { RunChunk, Thread } from '../common/thread.ts';
import { pixelAt, pixelBytes, rowBytes } from '../plan/tensor.ts';
import { bindWinogradInput, bindWinogradOutput, bindWinogradProduct } from './bind-winograd.ts';
import { floorOf } from './floor.ts';
import type { Fp32Kernels } from './kernels.ts';
import type { AddStep, AveragePoolStep, Fp32Step, GemmStep, ReluStep } from './steps.ts';

const groupBytes = blockChannels * 4;

export function bindFp32(step: Fp32Step, thread: Thread<Fp32Kernels>): RunChunk {
  switch (step.op) {
    case 'interleave':
      return bindInterleave(step, thread);
    case 'gemm':
      return bindGemm(step, thread);
    case 'winogradInput':
      return bindWinogradInput(step, thread);
    case 'winogradProduct':
      return bindWinogradProduct(step, thread);
    case 'winogradOutput':
      return bindWinogradOutput(step, thread);
    case 'maxPool':
      return bindMaxPool(step, thread);
    case 'averagePool':
      return bindAveragePool(step, thread);
    case 'add':
      return bindAdd(step, thread);
    case 'relu':
      return bindRelu(step, thread);
    case 'normalise':
      return bindNormalise(step, thread);
  }
}

function bindGemm(step: GemmStep, { kernels }: Thread<Fp32Kernels>): RunChunk {
  const { src, dst, residual, grid } = step;
  const kernel = { 1: kernels.gemm1, 3: kernels.gemm3, 8: kernels.gemm8 }[step.unroll];
  const floor = floorOf(step.relu);
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
      step.bias + block * groupBytes,
      context + dst.offset + block * groupBytes,
      step.dstTable + row * 4,
      residual ? context + residual.offset + block * groupBytes : 0,
      residual ? step.residualTable + row * 4 : 0,
      floor,
    );
  };
}

function bindAveragePool(
  { src, dst, groupsPerChunk }: AveragePoolStep,
  { kernels }: Thread<Fp32Kernels>,
): RunChunk {
  const groups = dst.channels / blockChannels;
  const from = pixelAt(src, 0, 0);
  const scale = 1 / (src.height * src.width);
  return (context, chunk) => {
    const last = Math.min(groups, (chunk + 1) * groupsPerChunk);
    for (let group = chunk * groupsPerChunk; group < last; group++)
      kernels.average_pool(
        context + src.offset + from + group * groupBytes,
        rowBytes(src),
        src.height,
        pixelBytes(src),
        src.width,
        context + dst.offset + pixelAt(dst, 0, 0) + group * groupBytes,
        scale,
      );
  };
}

function bindAdd(
  { a, b, dst, relu, rowsPerChunk }: AddStep,
  { kernels }: Thread<Fp32Kernels>,
): RunChunk {
  const bytes = dst.width * pixelBytes(dst);
  return (context, chunk) => {
    const last = Math.min(dst.height, (chunk + 1) * rowsPerChunk);
    for (let y = chunk * rowsPerChunk; y < last; y++)
      kernels.add(
        context + a.offset + pixelAt(a, y, 0),
        context + b.offset + pixelAt(b, y, 0),
        context + dst.offset + pixelAt(dst, y, 0),
        bytes,
        floorOf(relu),
      );
  };
}

function bindRelu(
  { src, dst, rowsPerChunk }: ReluStep,
  { kernels }: Thread<Fp32Kernels>,
): RunChunk {
  const bytes = dst.width * pixelBytes(dst);
  return (context, chunk) => {
    const last = Math.min(dst.height, (chunk + 1) * rowsPerChunk);
    for (let y = chunk * rowsPerChunk; y < last; y++)
      kernels.relu(
        context + src.offset + pixelAt(src, y, 0),
        context + dst.offset + pixelAt(dst, y, 0),
        bytes,
      );
  };
}
