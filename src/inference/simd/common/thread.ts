/** What a step is bound to, and what comes of it. */

/** Runs chunk `chunk` of a step for the image whose context is at address `context`. */
export type RunChunk = (context: number, chunk: number) => void;

export interface Thread<Kernels> {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** Address of the thread's scratch. */
  readonly scratch: number;
}
