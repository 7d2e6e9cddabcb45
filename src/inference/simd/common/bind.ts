/** Steps → calls of the kernels, where every number format does the same. */
import { pixelAt, pixelBytes, rowBytes, type Tensor } from '../plan/tensor.ts';
import type { CommonKernels } from './kernels.ts';
import type { InterleaveStep, NormaliseStep, WindowStep } from './steps.ts';
import type { RunChunk, Thread } from './thread.ts';

/** The border as runs of bytes: all above the map, the right edge of each row with the left one of the next, all below. */
export function bindClear(
  tensor: Tensor,
  { kernels }: Pick<Thread<CommonKernels>, 'kernels'>,
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

export function bindInterleave(
  { src, dst, layout, rowsPerChunk }: InterleaveStep,
  { kernels }: Thread<CommonKernels>,
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

export function bindMaxPool(
  { src, dst, window, rowsPerChunk }: WindowStep,
  { kernels }: Thread<CommonKernels>,
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

/** A few thousand values at the very end: float64 in JavaScript. */
export function bindNormalise(
  { src, dst }: NormaliseStep,
  { memory }: Thread<CommonKernels>,
): RunChunk {
  const floats = (context: number, tensor: Tensor): Float32Array =>
    new Float32Array(memory.buffer, context + tensor.offset + pixelAt(tensor, 0, 0), dst.channels);
  return (context) => {
    const values = floats(context, src);
    const norm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    floats(context, dst).set(values.map((x) => x / norm));
  };
}
