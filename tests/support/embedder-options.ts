import {
  type Admission,
  type AdmissionLimits,
  createAdmission,
} from '../../src/embedder/admission.ts';
import type { EncodedText } from '../../src/embedder/embedder.ts';
import type { EmbedderOptions } from '../../src/embedder/embedder-options.ts';

const admissionLimits: AdmissionLimits = {
  maxImages: 256,
  maxImageBytes: 100 << 20,
  maxImagePixels: 100e6,
  maxBytesInFlight: 1 << 30,
  maxQueue: 1024,
  maxQueuePixels: 2e9,
};

/** The options that the command line would give, for tests that open an embedder themselves. */
export const embedderOptions: EmbedderOptions = {
  model: undefined,
  precision: 'fp32',
  device: 'wasm',
  adapter: undefined,
  allowSoftwareGpu: false,
  graphCapture: 'auto',
  maxBatch: 1,
  engine: 'auto',
  threads: undefined,
  cacheDir: undefined,
  urlFetch: 'off',
  urlAllow: [],
  urlConnectTimeout: 5_000,
  urlFirstByteTimeout: 10_000,
  urlTimeout: 30_000,
  urlMaxRedirects: 3,
  urlConcurrency: 16,
  maxFetchedBytes: 256 << 20,
  ...admissionLimits,
};

export const textOf = (text: EncodedText): string =>
  typeof text === 'string' ? text : Buffer.from(text).toString();

type Over = { readonly [K in keyof AdmissionLimits]?: AdmissionLimits[K] | undefined };

/** For embedders made up by tests; what is undefined has its default. */
export function openAdmission(limits: Over = {}): Admission {
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  return createAdmission({ ...admissionLimits, ...Object.fromEntries(given) });
}
