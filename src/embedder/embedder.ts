/** The life of a request without its wire: images in, vectors out, in order, or one error. */
import type { AdapterInfo } from '../inference/adapter-info.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Admission, Ticket } from './admission.ts';

/** base64 or a data URI; as bytes it is handed over, see `OwnedBytes`. */
export type EncodedText = string | Uint8Array<ArrayBuffer>;

export interface EmbedRequest {
  /** Where there are any, `urls` is ignored. */
  readonly datas: readonly EncodedText[];
  readonly urls: readonly string[];
  /** The place that the request was given while it arrived, with every one of `datas` added; without it `embed` asks for one. */
  readonly ticket?: Ticket;
}

/** Milliseconds by stage; with several images, the longest of each stage. */
export interface StageTimings {
  source: number;
  decode: number;
  preprocess: number;
  queue: number;
  infer: number;
}

export interface EmbedResult {
  /** One per image, in the order of the request, `[dimension]` float32, normalised as the manifest says. */
  readonly vectors: Float32Array[];
  /** The model that made them: after a GPU is lost another variant may. */
  readonly modelId: string;
  readonly timings: StageTimings;
}

/** `recovering`: a lost engine is being replaced; requests wait for it. */
export type EmbedderState = 'ready' | 'recovering' | 'failed';

/** What is told about the operator: by `info`, the start line, the page and the reply headers. */
export interface EmbedderInfo {
  readonly modelId: string;
  readonly trained: boolean;
  readonly precision: string;
  readonly engine: string;
  readonly device: string;
  /** The GPU and its driver, when there is one. */
  readonly adapter?: string | undefined;
  readonly threads: number;
}

export interface Embedder {
  readonly manifest: Manifest;
  readonly info: EmbedderInfo;
  /** The GPU opened at the start, in full, taken or declined; `info.adapter` is the short form of one that is in use. */
  readonly gpu?: AdapterInfo | undefined;
  readonly state: EmbedderState;
  /** Requests being worked on. */
  readonly inFlight: number;
  readonly admission: Admission;
  /**
   * @throws OperatorError; `item` names the image it is about. An empty request gives no vectors and no error.
   */
  embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult>;
  /** Settles with the reason when no engine, or nothing that decodes, is left. The state is `failed` then. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}
