/** What a step is bound to. */
import type { Int8Kernels } from './kernels.ts';

export interface Int8Thread {
  readonly kernels: Int8Kernels;
  readonly memory: WebAssembly.Memory;
  /** Address of the thread's scratch. */
  readonly scratch: number;
}
