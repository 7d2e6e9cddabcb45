/** Opens everything an embedder needs, from its options to a warm, ready embedder. */
import { availableParallelism } from 'node:os';
import { createImagePipeline } from '../image/image-pipeline.ts';
import type { ImageLimits } from '../image/pipeline.ts';
import { createUrlFetcher } from '../image/source/url-fetcher.ts';
import type { Engine } from '../inference/engine.ts';
import { openEngine, type Tell } from '../inference/open-engine.ts';
import { createScheduler } from '../inference/scheduler.ts';
import type { Manifest, Precision } from '../model/manifest.ts';
import { type Model, openModel } from '../model/open-model.ts';
import { createEmbedder } from './create-embedder.ts';
import type { Embedder, EmbedderInfo } from './embedder.ts';

/** What the command line decides; the names are those of its options. */
export interface EmbedderOptions extends ImageLimits {
  readonly model: string | undefined;
  readonly precision: Precision;
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly engine: 'auto' | 'onnxruntime' | 'simd';
  /** Computing threads; undefined: one per core. */
  readonly threads: number | undefined;
  readonly maxQueue: number;
  readonly urlFetch: 'on' | 'off';
  readonly urlAllow: readonly string[];
}

/** @throws ConfigError when the model or what was asked of it cannot be had */
export async function openEmbedder(options: EmbedderOptions, tell: Tell): Promise<Embedder> {
  const model = openModel(options.model, options.precision);
  const threads = options.threads ?? availableParallelism();
  const fetcher = createUrlFetcher({
    maxImageBytes: options.maxImageBytes,
    enabled: options.urlFetch === 'on',
    allow: options.urlAllow,
  });
  const pipeline = createImagePipeline({
    rules: model.manifest.preprocess,
    layout: model.manifest.graph.layout,
    limits: options,
    threads,
  });
  let engine: Engine;
  try {
    engine = await openEngine(model, { ...options, threads }, tell);
    await warmUp(engine, model.manifest);
  } catch (error) {
    await pipeline.close();
    throw error;
  }
  const embedder = createEmbedder({
    manifest: model.manifest,
    info: describe(model, engine),
    pipeline,
    scheduler: createScheduler(engine, { maxQueue: options.maxQueue }),
    fetchUrl: fetcher.fetch,
    close: async () => {
      await Promise.all([engine.close(), pipeline.close()]);
    },
  });
  void engine.lost.then((reason) => {
    tell(`the engine is lost: ${reason.message}`);
    embedder.fail();
  });
  return embedder;
}

/** What `info` and the start line tell of a model and the engine that runs it. */
function describe(model: Model, engine: Engine): EmbedderInfo {
  return {
    modelId: model.id,
    trained: model.manifest.trained,
    precision: model.precision,
    engine: engine.name,
    device: engine.device,
    threads: engine.threads,
  };
}

/** One run, so that the first request does not pay for compilation and first touches. */
async function warmUp(engine: Engine, { graph }: Manifest): Promise<void> {
  await engine.run([new Float32Array(3 * graph.height * graph.width)]);
}
