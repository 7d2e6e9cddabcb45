/** What all steps hold on to: whole blocks of channels, and cleared borders. */
import type { Step } from '../plan/plan.ts';
import { hasBorder, type Tensor } from '../plan/tensor.ts';

/** Channels that the kernels take together: a block of the weights. */
export const blockChannels = 16;
export const padded = (channels: number): number =>
  Math.ceil(channels / blockChannels) * blockChannels;

/** Distributes over the members of a union what `Omit` alone would merge. */
type Unfinished<S> = S extends Step ? Omit<S, 'chunks' | 'clears'> : never;

/** A step of `chunks` chunks that makes `dst`, and one more that clears the border of `dst` where it has one. */
export function makes(dst: Tensor, chunks: number, step: Unfinished<Step>): Step {
  const clears = hasBorder(dst) ? dst : undefined;
  return { ...step, chunks: clears ? chunks + 1 : chunks, clears } as Step;
}
