/** Opens everything an embedder needs, from its options to a warm, ready embedder. */
import { availableParallelism } from 'node:os';
import { defaultCacheDir } from '../cache-dir.ts';
import { createImagePipeline } from '../image/image-pipeline.ts';
import { createUrlFetcher } from '../image/source/url-fetcher.ts';
import { type OpenedEngine, openEngine } from '../inference/open-engine.ts';
import { createScheduler } from '../inference/scheduler.ts';
import type { Tell } from '../log.ts';
import { precisionOf } from '../model/open-model.ts';
import { openVariants } from '../model/open-variants.ts';
import { createAdmission } from './admission.ts';
import { checkOptions } from './check-options.ts';
import { createEmbedder } from './create-embedder.ts';
import type { Embedder, EmbedderInfo } from './embedder.ts';
import type { EmbedderOptions } from './embedder-options.ts';
import {
  availableMemory,
  type MemoryShares,
  shareMemory,
  warnOfLittleMemory,
} from './memory-shares.ts';

/**
 * As many as compute: what bounds the cores for the one bounds them for the other. They start as there is work for them; each
 * holds some 35 MB, and 16 feed any GPU.
 */
export const decodingThreadsFor = (computing: number): number => Math.min(computing, 16);

/** @throws ConfigError when the model or what was asked of it cannot be had */
export async function openEmbedder(options: EmbedderOptions, tell: Tell): Promise<Embedder> {
  for (const warning of checkOptions(options)) tell(warning, 'warn');
  const variant = openVariants(options.model);
  const precision = precisionOf(options.model, options.precision);
  const { manifest } = variant(precision);
  const threads = options.threads ?? availableParallelism();
  const decodingThreads = decodingThreadsFor(threads);
  const warning = warnOfLittleMemory(options.memory ?? availableMemory());
  if (warning !== undefined) tell(warning, 'warn');
  const shares = sharesOf(options);
  const fetcher = openFetcher(options, shares);
  const pipeline = createImagePipeline({
    rules: manifest.preprocess,
    layout: manifest.graph.layout,
    limits: { ...options, ...shares },
    threads: decodingThreads,
    tell,
  });
  let opened: OpenedEngine;
  try {
    const cacheDir = options.cacheDir ?? defaultCacheDir();
    opened = await openEngine(variant, { ...options, precision, threads, cacheDir }, tell);
  } catch (error) {
    await Promise.all([pipeline.close(), fetcher.close()]);
    throw error;
  }
  const { failover } = opened;
  const places = decodingThreads + 2 * failover.concurrency * failover.maxBatch;
  const embedder = createEmbedder({
    manifest,
    info: () => describe(opened),
    available: () => failover.available,
    lost: Promise.race([failover.lost, pipeline.lost]),
    pipeline,
    scheduler: createScheduler(failover, {
      ...options,
      maxQueue: Math.max(options.maxQueue, places),
    }),
    withFile: fetcher.withFile,
    admission: createAdmission({ ...options, ...shares }),
    places,
    close: async () => {
      await Promise.all([failover.close(), pipeline.close(), fetcher.close()]);
    },
  });
  return Object.assign(embedder, { gpu: opened.adapter });
}

function sharesOf(options: EmbedderOptions): MemoryShares {
  const shares = shareMemory(options.memory ?? availableMemory());
  return {
    maxBytesInFlight: options.maxBytesInFlight ?? shares.maxBytesInFlight,
    maxFetchedBytes: options.maxFetchedBytes ?? shares.maxFetchedBytes,
    maxDecodedBytes: options.maxDecodedBytes ?? shares.maxDecodedBytes,
  };
}

const openFetcher = (options: EmbedderOptions, { maxFetchedBytes }: MemoryShares) =>
  createUrlFetcher({
    enabled: options.urlFetch === 'on',
    allow: options.urlAllow,
    maxImageBytes: options.maxImageBytes,
    maxFetchedBytes,
    connectTimeoutMs: options.urlConnectTimeout,
    firstByteTimeoutMs: options.urlFirstByteTimeout,
    timeoutMs: options.urlTimeout,
    maxRedirects: options.urlMaxRedirects,
    concurrency: options.urlConcurrency,
  });

/** What `info` and the start line tell of a model and the engine that runs it. */
function describe({ failover }: OpenedEngine): EmbedderInfo {
  const { model, engine } = failover.current;
  const { adapter } = engine;
  return {
    modelId: model.id,
    trained: model.manifest.trained,
    precision: model.precision,
    engine: engine.name,
    device: engine.device,
    adapter: adapter && `${adapter.name}, ${adapter.driver}`,
    threads: engine.threads,
  };
}
