/** The operator this page came from, by gRPC-web through the generated client. */
import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { type IdentityReply, Operator } from '../../gen/omnisearch/operator_pb.ts';
import { type Stage, stagesOf } from './timings.ts';

/** Relative to the page, so that it works behind a proxy's path as well. */
const base = new URL('.', document.baseURI).href.replace(/\/$/, '');
const client = createClient(Operator, createGrpcWebTransport({ baseUrl: base }));

/** `GET /info`; what is known of the model is missing while it is being loaded. */
export interface OperatorInfo extends Partial<ModelInfo> {
  readonly version: string;
  readonly inFlight: number;
}

interface ModelInfo {
  readonly modelId: string;
  readonly trained: boolean;
  readonly precision: string;
  readonly engine: string;
  readonly device: string;
  readonly threads: number;
}

export interface Embedding {
  readonly vector: Float32Array;
  /** The operator's stages and, last, what the way there and back took. */
  readonly stages: readonly Stage[];
  /** From sending to having the reply, in milliseconds. */
  readonly totalMs: number;
}

/**
 * One `Execute` for one picture, so that an error belongs to it.
 * @throws ConnectError, or DOMException when the file cannot be read
 */
export async function embed(picture: Blob, signal: AbortSignal): Promise<Embedding> {
  const datas = [await base64(picture)];
  signal.throwIfAborted();
  const started = performance.now();
  let serverTiming: string | null = null;
  const reply = await client.execute(
    { datas },
    {
      signal,
      onHeader(headers) {
        serverTiming = headers.get('server-timing');
      },
    },
  );
  const totalMs = performance.now() - started;
  const [vector, ...more] = reply.vectors;
  if (!vector || more.length > 0)
    throw new Error(`one vector was expected, the operator sent ${reply.vectors.length}`);
  return {
    vector: Float32Array.from(vector.element),
    stages: stagesOf(serverTiming, totalMs),
    totalMs,
  };
}

/** What the operator says it is. */
export function identify(signal: AbortSignal): Promise<IdentityReply> {
  return client.identity({}, { signal });
}

/** Settles when the operator says it is healthy. */
export async function checkHealth(signal: AbortSignal): Promise<string> {
  return (await client.healthy({}, { signal })).healthy;
}

export async function readInfo(signal: AbortSignal): Promise<OperatorInfo> {
  const response = await fetch(`${base}/info`, { signal });
  if (!response.ok) throw new Error(`GET /info was answered with ${response.status}`);
  return (await response.json()) as OperatorInfo;
}

/** A data URI's payload; the browser's reader is native code, a loop over the bytes of a big photo is not. */
function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const uri = String(reader.result);
      resolve(uri.slice(uri.indexOf(',') + 1));
    };
    reader.onerror = () => reject(reader.error);
    // An empty blob's data URI has no comma in some browsers.
    if (blob.size === 0) resolve('');
    else reader.readAsDataURL(blob);
  });
}
