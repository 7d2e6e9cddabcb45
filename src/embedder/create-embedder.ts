/** Follows each image of a request through source, decode, preprocess, queue, infer and normalise. */
import { OperatorError, toOperatorError } from '../errors.ts';
import type { EncodedImage, ImagePipeline } from '../image/pipeline.ts';
import type { Scheduler } from '../inference/scheduler.ts';
import type { Manifest } from '../model/manifest.ts';
import type {
  Embedder,
  EmbedderInfo,
  EmbedderState,
  EmbedRequest,
  EmbedResult,
  StageTimings,
} from './embedder.ts';
import { normaliseL2 } from './normalise.ts';

/** Gets the file behind a URL and keeps its place among the fetches until `use` is done with it. */
export type WithFile = <T>(
  url: string,
  signal: AbortSignal,
  use: (file: Uint8Array) => Promise<T>,
) => Promise<T>;

export interface EmbedderParts {
  readonly manifest: Manifest;
  /** Asked anew each time: the device can change when a GPU is lost. */
  info(): EmbedderInfo;
  /** False while a lost engine is being replaced. */
  available(): boolean;
  readonly pipeline: ImagePipeline;
  readonly scheduler: Scheduler;
  /** The guarded fetch of `image/source`. */
  readonly withFile: WithFile;
  /** Frees what the parts hold; called once by `close`. */
  close(): Promise<void>;
}

/** A running embedder: the parts are open and warm. */
export function createEmbedder(parts: EmbedderParts): Embedder & { fail(): void } {
  let state: EmbedderState = 'ready';
  let inFlight = 0;
  let idle = Promise.withResolvers<void>();

  async function embedOne(
    image: { data: string } | { url: string },
    timings: StageTimings,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    const decode = (encoded: EncodedImage) => parts.pipeline.prepare(encoded, signal);
    const begun = performance.now();
    const prepared =
      'data' in image
        ? await decode(image.data)
        : await parts.withFile(image.url, signal, (file) => {
            timings.source = Math.max(timings.source, performance.now() - begun);
            return decode(file);
          });
    timings.decode = Math.max(timings.decode, prepared.decodeMs);
    timings.preprocess = Math.max(timings.preprocess, prepared.preprocessMs);
    const inference = await parts.scheduler.infer(prepared.tensor, signal);
    timings.queue = Math.max(timings.queue, inference.queueMs);
    timings.infer = Math.max(timings.infer, inference.inferMs);
    return parts.manifest.normalise === 'l2' ? normaliseL2(inference.features) : inference.features;
  }

  return {
    manifest: parts.manifest,
    get info() {
      return parts.info();
    },
    get state() {
      return state === 'ready' && !parts.available() ? 'recovering' : state;
    },
    get inFlight() {
      return inFlight;
    },

    async embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult> {
      if (state === 'draining')
        throw new OperatorError('DRAINING', 'the operator is shutting down');
      if (state !== 'ready') throw new OperatorError('NOT_READY', 'the model is not available');
      const images =
        request.datas.length > 0
          ? request.datas.map((data) => ({ data }))
          : request.urls.map((url) => ({ url }));
      const timings: StageTimings = { source: 0, decode: 0, preprocess: 0, queue: 0, infer: 0 };
      // The first image that fails ends the request: the others are abandoned where they wait.
      const abort = new AbortController();
      const either = AbortSignal.any([signal, abort.signal]);
      inFlight++;
      try {
        const results = await Promise.allSettled(
          images.map(async (image, item) => {
            try {
              return await embedOne(image, timings, either);
            } catch (thrown) {
              abort.abort();
              throw toOperatorError(thrown).atItem(item);
            }
          }),
        );
        return { vectors: allOrError(results), timings };
      } finally {
        inFlight--;
        if (inFlight === 0) idle.resolve();
      }
    },

    async drain() {
      if (state === 'ready') state = 'draining';
      if (inFlight === 0) return;
      idle = Promise.withResolvers<void>();
      await idle.promise;
    },
    fail() {
      state = 'failed';
    },
    close: () => parts.close(),
  };
}

/** Every vector, or the first error in the order of the request that is not merely a consequence of another. */
function allOrError(results: readonly PromiseSettledResult<Float32Array>[]): Float32Array[] {
  const errors = results.flatMap((r) =>
    r.status === 'rejected' ? [toOperatorError(r.reason)] : [],
  );
  const first = errors.find((error) => error.code !== 'CANCELLED') ?? errors[0];
  if (first) throw first;
  return results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
}
