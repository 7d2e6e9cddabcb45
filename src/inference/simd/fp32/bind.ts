/** Steps → calls of the kernels. */
import { pixelAt, pixelBytes, rowBytes, type Tensor } from '../plan/tensor.ts';
import { bindWinogradInput, bindWinogradOutput, bindWinogradProduct } from './bind-winograd.ts';
import { blockChannels } from './blocks.ts';
import type { Fp32Kernels } from './kernels.ts';
import type {
  AddStep,
  AveragePoolStep,
  Fp32Step,
  GemmStep,
  InterleaveStep,
  MaxPoolStep,
  NormaliseStep,
  ReluStep,
} from './steps.ts';
import { floorOf, type RunChunk, type Thread } from './thread.ts';

const groupBytes = blockChannels * 4;

export function bindFp32(step: Fp32Step, thread: Thread): RunChunk {
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

/** The border as runs of bytes: all above the map, the right edge of each row with the left one of the next, all below. */
export function bindClear(
  tensor: Tensor,
  { kernels }: { readonly kernels: Pick<Fp32Kernels, 'fill'> },
): (context: number) => void {
  const { height, width, border } = tensor;
  const before = pixelAt(tensor, 0, 0);
  const between = (border.left + border.right) * pixelBytes(tensor);
  const after = pixelAt(tensor, height - 1, width);
  return (context) => {
    const start = context + tensor.offset;
    kernels.fill(start, before, 0, 1, 0);
    if (between > 0 && height > 1)
      kernels.fill(start + pixelAt(tensor, 0, width), between, rowBytes(tensor), height - 1, 0);
    kernels.fill(start + after, tensor.bytes - after, 0, 1, 0);
  };
}

function bindInterleave(
  { src, dst, layout, rowsPerChunk }: InterleaveStep,
  { kernels }: Thread,
): RunChunk {
  const planar = layout === 'NCHW';
  const pixel = planar ? 4 : dst.channels * 4;
  const plane = planar ? dst.height * dst.width * 4 : 4;
  return (context, chunk) => {
    const last = Math.min(dst.height, (chunk + 1) * rowsPerChunk);
    for (let y = chunk * rowsPerChunk; y < last; y++)
      kernels.interleave(
        context + src.offset + y * dst.width * pixel,
        pixel,
        plane,
        dst.channels,
        context + dst.offset + pixelAt(dst, y, 0),
        dst.width,
      );
  };
}

function bindGemm(step: GemmStep, { kernels }: Thread): RunChunk {
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

function bindMaxPool(
  { src, dst, window, rowsPerChunk }: MaxPoolStep,
  { kernels }: Thread,
): RunChunk {
  return (context, chunk) => {
    const last = Math.min(dst.height, (chunk + 1) * rowsPerChunk);
    for (let y = chunk * rowsPerChunk; y < last; y++) {
      const top = y * window.strideY - window.padding.top;
      const from = Math.max(0, top);
      const to = Math.min(src.height, top + window.height);
      kernels.max_pool(
        context + src.offset + pixelAt(src, from, 0),
        rowBytes(src),
        to - from,
        pixelBytes(src),
        src.width,
        window.width,
        -window.padding.left,
        window.strideX,
        context + dst.offset + pixelAt(dst, y, 0),
        dst.width,
      );
    }
  };
}

function bindAveragePool(
  { src, dst, groupsPerChunk }: AveragePoolStep,
  { kernels }: Thread,
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

function bindAdd({ a, b, dst, relu, rowsPerChunk }: AddStep, { kernels }: Thread): RunChunk {
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

function bindRelu({ src, dst, rowsPerChunk }: ReluStep, { kernels }: Thread): RunChunk {
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

/** A few thousand values at the very end: float64 in JavaScript. */
function bindNormalise({ src, dst }: NormaliseStep, { memory }: Thread): RunChunk {
  const floats = (context: number, tensor: Tensor): Float32Array =>
    new Float32Array(memory.buffer, context + tensor.offset + pixelAt(tensor, 0, 0), dst.channels);
  return (context) => {
    const values = floats(context, src);
    const norm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    floats(context, dst).set(values.map((x) => x / norm));
  };
}
