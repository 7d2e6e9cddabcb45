import type { ImageLimits } from '../image/pipeline.ts';
import type { Precision } from '../model/manifest.ts';

/** What the command line decides; the names are those of its options. */
export interface EmbedderOptions extends ImageLimits {
  /** Bytes of memory to be divided; undefined: what there is. See `shareMemory`. */
  readonly memory?: number | undefined;
  readonly maxBytesInFlight?: number | undefined;
  readonly maxImages: number;
  readonly maxQueuePixels: number;
  readonly model: string | undefined;
  /** Undefined: fp32, or what there is. */
  readonly precision: Precision | undefined;
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly adapter: string | undefined;
  readonly allowSoftwareGpu: boolean;
  readonly graphCapture: 'auto' | 'on' | 'off';
  /** The beginning of a warning for when the CPU is taken: "--adapter has no effect". */
  readonly idleOnCpu?: string | undefined;
  readonly maxBatch: number;
  /** Milliseconds. @default 0 */
  readonly maxBatchWait?: number;
  readonly engine: 'auto' | 'onnxruntime' | 'simd';
  /** Computing threads, and most decoding ones; undefined: one per core. */
  readonly threads: number | undefined;
  readonly maxQueue: number;
  readonly cacheDir: string | undefined;
  readonly urlFetch: 'on' | 'off';
  readonly urlAllow: readonly string[];
  /** Milliseconds. */
  readonly urlConnectTimeout: number;
  readonly urlFirstByteTimeout: number;
  readonly urlTimeout: number;
  readonly urlMaxRedirects: number;
  readonly urlConcurrency: number;
  readonly maxFetchedBytes?: number | undefined;
}
