/** What a step is bound to, and what comes of it. */
import type { Fp32Kernels } from './kernels.ts';

/** Runs chunk `chunk` of a step for the image whose context is at address `context`. */
export type RunChunk = (context: number, chunk: number) => void;

export interface Thread {
  readonly kernels: Fp32Kernels;
  readonly memory: WebAssembly.Memory;
  /** Address of the thread's scratch. */
  readonly scratch: number;
}

/** The lower bound that makes a kernel's last operation a ReLU, or nothing. */
export const floorOf = (relu: boolean): number => (relu ? 0 : Number.NEGATIVE_INFINITY);
