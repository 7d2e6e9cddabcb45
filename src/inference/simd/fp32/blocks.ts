/** What all float32 steps hold on to: whole blocks of channels, and cleared borders. */
import { hasBorder, type Tensor } from '../plan/tensor.ts';
import type { Fp32Step } from './steps.ts';

/** Channels that the kernels take together: a block of the weights. */
export const blockChannels = 16;
export const padded = (channels: number): number =>
  Math.ceil(channels / blockChannels) * blockChannels;

/** Distributes over the members of a union what `Omit` alone would merge. */
type Unfinished<S> = S extends Fp32Step ? Omit<S, 'chunks' | 'clears'> : never;

/** A step of `chunks` chunks that makes `dst`, and one more that clears the border of `dst` where it has one. */
export function makes(dst: Tensor, chunks: number, step: Unfinished<Fp32Step>): Fp32Step {
  const clears = hasBorder(dst) ? dst : undefined;
  return { ...step, chunks: clears ? chunks + 1 : chunks, clears } as Fp32Step;
}
