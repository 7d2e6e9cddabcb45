/** Follows each image of a request through source, decode, preprocess, queue, infer and normalise. */
import { OperatorError } from '../errors.ts';
import { createFairSemaphore } from '../fair-semaphore.ts';
import { freeBuffer } from '../free-buffer.ts';
import type { EncodedImage, ImagePipeline } from '../image/pipeline.ts';
import type { Scheduler } from '../inference/scheduler.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Model } from '../model/open-model.ts';
import type { Admission, Ticket } from './admission.ts';
import type {
  Embedder,
  EmbedderInfo,
  EmbedderState,
  EmbedRequest,
  EmbedResult,
  EncodedText,
  StageTimings,
} from './embedder.ts';
import { assertUsable, normaliseL2 } from './normalise.ts';
import { type ImageSignals, settleImages } from './settle-images.ts';

/** Gets the file behind a URL and keeps its place among the fetches until `use` is done with it. */
export type WithFile = <T>(
  url: string,
  signal: AbortSignal,
  use: (file: Uint8Array<ArrayBuffer>) => Promise<T>,
) => Promise<T>;

type Image = { readonly data: EncodedText } | { readonly url: string };

interface Embedding {
  readonly vector: Float32Array;
  readonly modelId: string;
}

interface Context {
  readonly ticket: Ticket;
  readonly item: number;
  readonly timings: StageTimings;
  readonly signals: ImageSignals;
}

export interface EmbedderParts {
  readonly manifest: Manifest;
  /** Asked anew each time: the device can change when a GPU is lost. */
  info(): EmbedderInfo;
  /** False while a lost engine is being replaced. */
  available(): boolean;
  /** Settles with the reason when there is no engine any more, or nothing that decodes. */
  readonly lost: Promise<Error>;
  readonly pipeline: Pick<ImagePipeline, 'prepare'>;
  readonly scheduler: Pick<Scheduler<Pick<Model, 'id'>>, 'infer'>;
  /** The guarded fetch of `image/source`. */
  readonly withFile: WithFile;
  readonly admission: Admission;
  /**
   * Images being decoded, or decoded and waiting for the network, at a time: enough to keep every thread busy. The others
   * wait as they came, which takes less memory than as tensors.
   */
  readonly places: number;
  /** Frees what the parts hold; called once by `close`. */
  close(): Promise<void>;
}

/** A running embedder: the parts are open and warm. */
export function createEmbedder(parts: EmbedderParts): Embedder {
  const { admission } = parts;
  const places = createFairSemaphore(parts.places);
  let failed = false;
  let inFlight = 0;
  void parts.lost.then(() => {
    failed = true;
  });

  const state = (): EmbedderState =>
    failed ? 'failed' : parts.available() ? 'ready' : 'recovering';

  async function embedOne(
    image: Image,
    { ticket, item, timings, signals }: Context,
  ): Promise<Embedding> {
    let leave = (): void => {};
    let waitedMs = 0;
    const prepare = async (encoded: EncodedImage) => {
      const begun = performance.now();
      leave = await places.acquire(ticket, signals.look);
      waitedMs = performance.now() - begun;
      return parts.pipeline.prepare(encoded, signals.look);
    };
    const fetched = async (file: Uint8Array<ArrayBuffer>, begun: number) => {
      timings.source = Math.max(timings.source, performance.now() - begun);
      ticket.look(item, file, 'file');
      return prepare({ holds: 'file', bytes: file });
    };
    try {
      const begun = performance.now();
      const prepared =
        'data' in image
          ? await prepare(ownedText(image.data))
          : await parts.withFile(image.url, signals.look, (file) => fetched(file, begun));
      timings.decode = Math.max(timings.decode, prepared.decodeMs);
      timings.preprocess = Math.max(timings.preprocess, prepared.preprocessMs);
      const inference = await parts.scheduler.infer(prepared.tensor, signals.compute);
      timings.queue = Math.max(timings.queue, waitedMs + inference.queueMs);
      timings.infer = Math.max(timings.infer, inference.inferMs);
      const { features, model } = inference;
      const normalise = parts.manifest.normalise === 'l2' ? normaliseL2 : assertUsable;
      return { vector: normalise(features), modelId: model.id };
    } finally {
      leave();
      ticket.done(item);
      if ('data' in image && typeof image.data !== 'string') freeBuffer(image.data.buffer);
    }
  }

  /** The request's place, with every image in it. */
  function admit({ ticket: given, datas, urls }: EmbedRequest): Ticket {
    const ticket = given ?? admission.open();
    try {
      if (!given) for (const data of datas) ticket.hold(data.length, ticket.add());
      if (datas.length === 0) for (const _ of urls) ticket.addUrl();
      ticket.enqueue();
    } catch (thrown) {
      if (!given) ticket.close();
      throw thrown;
    }
    return ticket;
  }

  return {
    manifest: parts.manifest,
    get info() {
      return parts.info();
    },
    get state() {
      return state();
    },
    get inFlight() {
      return inFlight;
    },
    admission,

    async embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult> {
      if (failed) throw new OperatorError('NOT_READY', 'the model is not available');
      const images: Image[] =
        request.datas.length > 0
          ? request.datas.map((data) => ({ data }))
          : request.urls.map((url) => ({ url }));
      const ticket = admit(request);
      const timings: StageTimings = { source: 0, decode: 0, preprocess: 0, queue: 0, infer: 0 };
      inFlight++;
      try {
        const embeddings = await settleImages(images, signal, (image, item, signals) =>
          embedOne(image, { ticket, item, timings, signals }),
        );
        const vectors = embeddings.map(({ vector }) => vector);
        return { vectors, modelId: modelOf(embeddings, parts.info().modelId), timings };
      } finally {
        if (!request.ticket) ticket.close();
        inFlight--;
      }
    },

    lost: parts.lost,
    close: () => parts.close(),
  };
}

/** @throws OperatorError NOT_READY: vectors of two models must not be compared, and one id goes with them all */
function modelOf(embeddings: readonly Embedding[], current: string): string {
  const [first = current, ...others] = new Set(embeddings.map(({ modelId }) => modelId));
  if (others.length === 0) return first;
  throw new OperatorError(
    'NOT_READY',
    `the model ${first} was replaced by ${others[0]} while it ran on these images; ask again`,
  );
}

const ownedText = (text: EncodedText): EncodedImage =>
  typeof text === 'string' ? text : { holds: 'base64', bytes: text };
