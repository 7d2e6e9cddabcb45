import type { EmbedderOptions } from '../../src/embedder/open.ts';

/** The options that the command line would give, for tests that open an embedder themselves. */
export const embedderOptions: EmbedderOptions = {
  model: undefined,
  precision: 'fp32',
  device: 'wasm',
  adapter: undefined,
  allowSoftwareGpu: false,
  maxBatch: 1,
  engine: 'auto',
  threads: undefined,
  maxQueue: 1000,
  cacheDir: undefined,
  maxImageBytes: 100 << 20,
  maxImagePixels: 100e6,
  urlFetch: 'off',
  urlAllow: [],
  urlConnectTimeout: 5_000,
  urlFirstByteTimeout: 10_000,
  urlTimeout: 30_000,
  urlMaxRedirects: 3,
  urlConcurrency: 16,
  maxFetchedBytes: 256 << 20,
};
