/** Kernel sizes, strides and paddings as ONNX writes them. */

import type { Edges, Shape, Window } from './network.ts';
import type { NodeContext } from './node-context.ts';

interface Side {
  readonly height: number;
  readonly width: number;
}

/** A convolution's window. @throws Unsupported for dilations and contradictions */
export function readWindow(node: NodeContext, input: Side, kernel: Side): Window {
  const { attributes } = node;
  const shape = attributes.ints('kernel_shape', [kernel.height, kernel.width]);
  if (shape[0] !== kernel.height || shape[1] !== kernel.width)
    throw node.unsupported('kernel_shape is not that of the weights');
  if (attributes.ints('dilations', [1, 1]).some((d) => d !== 1))
    throw node.unsupported('dilations');
  const [strideY = 1, strideX = 1] = attributes.ints('strides', [1, 1]);
  if (Math.min(strideY, strideX) < 1) throw node.unsupported(`strides ${strideY}, ${strideX}`);
  const strides = { strideY, strideX };
  return { ...kernel, ...strides, padding: padding(node, input, kernel, strides) };
}

function padding(
  node: NodeContext,
  input: Side,
  kernel: Side,
  { strideY, strideX }: { strideY: number; strideX: number },
): Edges {
  const mode = node.attributes.string('auto_pad', 'NOTSET');
  if (mode === 'NOTSET') {
    const [top = 0, left = 0, bottom = 0, right = 0] = node.attributes.ints('pads', [0, 0, 0, 0]);
    if (Math.min(top, left, bottom, right) < 0) throw node.unsupported('negative padding');
    return { top, left, bottom, right };
  }
  if (mode === 'VALID') return { top: 0, left: 0, bottom: 0, right: 0 };
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw node.unsupported(`auto_pad ${mode}`);
  const [top, bottom] = same(input.height, kernel.height, strideY, mode);
  const [left, right] = same(input.width, kernel.width, strideX, mode);
  return { top, left, bottom, right };
}

/** As much padding as gives `ceil(length / stride)` outputs; the odd one goes to the end, or to the start. */
function same(length: number, kernel: number, stride: number, mode: string): [number, number] {
  const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + kernel - length);
  const less = Math.floor(total / 2);
  return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
}

export function outputShape({ height, width }: Side, window: Window): Side {
  const { top, left, bottom, right } = window.padding;
  return {
    height: Math.floor((height + top + bottom - window.height) / window.strideY) + 1,
    width: Math.floor((width + left + right - window.width) / window.strideX) + 1,
  };
}

/** A pool's window, and the shape it gives; with `ceil_mode` a last window may hang over the padding's end. */
export function poolWindow(node: NodeContext, input: Shape): { window: Window; shape: Shape } {
  const { attributes } = node;
  const [height = 0, width = 0, ...more] = attributes.ints('kernel_shape', []);
  if (height < 1 || width < 1 || more.length > 0) throw node.unsupported('not two-dimensional');
  if (attributes.int('storage_order', 0) !== 0) throw node.unsupported('storage_order');
  const window = readWindow(node, input, { height, width });
  const { top, left, bottom, right } = window.padding;
  if (Math.max(top, bottom) >= height || Math.max(left, right) >= width)
    throw node.unsupported('padding as large as the window');
  const shape = outputShape(input, window);
  if (attributes.int('ceil_mode', 0) === 0)
    return { window, shape: { channels: input.channels, ...shape } };
  const rounded = {
    channels: input.channels,
    height: ceilOutputs(input.height, window.height, window.strideY, top, bottom),
    width: ceilOutputs(input.width, window.width, window.strideX, left, right),
  };
  return { window, shape: rounded };
}

/** A window that would begin beyond the input and its leading padding is left out, as onnxruntime and PyTorch do. */
function ceilOutputs(
  length: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
): number {
  const count = Math.ceil((length + before + after - kernel) / stride) + 1;
  return (count - 1) * stride >= length + before ? count - 1 : count;
}
