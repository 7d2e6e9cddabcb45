/** A map of activations in memory: pixels row by row, channels together (NHWC), with a border of zeros around it. */
import type { Edges, Shape, Window } from '../network/network.ts';
import type { ArenaBlock } from './arena.ts';

export interface Tensor extends ArenaBlock {
  readonly height: number;
  readonly width: number;
  /** Stored channels: the value's own, and zeros up to a multiple that suits the kernels. */
  readonly channels: number;
  readonly elementBytes: number;
  /** Pixels around the map, for convolutions to read as padding. */
  readonly border: Edges;
}

export const noBorder: Edges = { top: 0, left: 0, bottom: 0, right: 0 };

export const pixelBytes = (t: Tensor): number => t.channels * t.elementBytes;

export const rowBytes = (t: Tensor): number =>
  (t.border.left + t.width + t.border.right) * pixelBytes(t);

export const tensorBytes = (t: Omit<Tensor, 'offset' | 'bytes'>): number =>
  (t.border.top + t.height + t.border.bottom) *
  (t.border.left + t.width + t.border.right) *
  t.channels *
  t.elementBytes;

/** Bytes from the tensor's start to pixel (y, x) of the map; the border is at −1 and below, and beyond the far edges. */
export const pixelAt = (t: Tensor, y: number, x: number): number =>
  (t.border.top + y) * rowBytes(t) + (t.border.left + x) * pixelBytes(t);

export const hasBorder = ({ border: b }: Tensor): boolean =>
  b.top + b.left + b.bottom + b.right > 0;

/** The border that a convolution reads, for an output of `out`. */
export function borderOf(
  window: Window,
  input: Shape,
  out: { height: number; width: number },
): Edges {
  const { padding, strideY, strideX } = window;
  const beyond = (
    outputs: number,
    stride: number,
    kernel: number,
    before: number,
    length: number,
  ) => Math.max(0, (outputs - 1) * stride + kernel - before - length);
  return {
    top: padding.top,
    left: padding.left,
    bottom: beyond(out.height, strideY, window.height, padding.top, input.height),
    right: beyond(out.width, strideX, window.width, padding.left, input.width),
  };
}

export const union = (a: Edges, b: Edges): Edges => ({
  top: Math.max(a.top, b.top),
  left: Math.max(a.left, b.left),
  bottom: Math.max(a.bottom, b.bottom),
  right: Math.max(a.right, b.right),
});
