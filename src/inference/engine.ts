/**
 * What runs a network. Two kinds exist: `onnxruntime` (every model, WASM or WebGPU, and the reference) and `simd` (our own
 * kernels for convolutional networks on the CPU). An engine owns its threads and its memory, and never works on the
 * thread that answers the network. It is warm when it is handed over: its first run is as fast as the others.
 */
import type { AdapterInfo } from './adapter-info.ts';

export type EngineName = 'onnxruntime' | 'simd';
export type Device = 'wasm' | 'webgpu';

export interface Engine {
  readonly name: EngineName;
  readonly device: Device;
  /** The GPU, when it runs on one. */
  readonly adapter?: AdapterInfo | undefined;
  /** Threads that compute. */
  readonly threads: number;
  /** Calls of `run` worth having in flight at once; the scheduler keeps the rest in its queue. */
  readonly concurrency: number;
  /** Most images in one call of `run`. */
  readonly maxBatch: number;
  /**
   * Runs the network on a batch.
   * @param inputs - one float32 tensor per image, `[3, height, width]` (or the manifest's layout), 1 to maxBatch of them;
   *   not changed and not kept after the promise settles
   * @returns one row per input, in order, `[dimension]` float32, the graph's output as it is (not normalised)
   * @throws Error when this batch failed; the engine stays usable unless `lost` settles
   */
  run(inputs: readonly Float32Array[]): Promise<Float32Array[]>;
  /** Settles with the reason when the engine can no longer be used (a lost GPU, a thread that died or hangs). */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}
