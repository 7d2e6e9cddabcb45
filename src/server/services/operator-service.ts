/** The three calls of the contract. */
import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { Config } from '../../config/options.ts';
import type { Embedder, EmbedRequest, StageTimings } from '../../embedder/embedder.ts';
import {
  ExecuteReplySchema,
  type Operator,
  VectorSchema,
} from '../../gen/omnisearch/operator_pb.ts';
import { callRecordKey } from '../call-record.ts';
import { imageFieldKey } from '../errors/connect-error.ts';
import { receivedFor } from '../intake/receive-execute.ts';
import { untilAborted } from '../limits/until-aborted.ts';
import type { Readiness } from '../readiness.ts';

export function createOperatorService(
  readiness: Readiness,
  config: Pick<Config, 'endpoint'>,
): ServiceImpl<typeof Operator> {
  function nameModel(context: HandlerContext, modelId: string): void {
    const record = context.values.get(callRecordKey);
    if (record) record.modelId = modelId;
    context.responseHeader.set('x-model-id', modelId);
  }

  /** The embedder, whose model every reply names. */
  function serve(context: HandlerContext, embedder = readiness.serving()): Embedder {
    nameModel(context, embedder.info.modelId);
    context.responseHeader.set('x-model-trained', String(embedder.info.trained));
    return embedder;
  }

  return {
    async execute(request, context) {
      const { request: received, embedder } = receivedFor(request, context.values);
      const field = received.datas.length > 0 ? 'datas' : 'urls';
      context.values.set(imageFieldKey, field);
      serve(context, embedder);
      const record = context.values.get(callRecordKey);
      if (record) record.images = received[field].length;
      const { vectors, modelId, timings } = await embed(embedder, received, context.signal);
      nameModel(context, modelId);
      if (record) record.timings = timings;
      context.responseHeader.set('server-timing', serverTiming(timings));
      return create(ExecuteReplySchema, {
        nums: BigInt(vectors.length),
        vectors: vectors.map((v) => create(VectorSchema, { element: toNumbers(v) })),
      });
    },

    healthy(_, context) {
      serve(context);
      return { healthy: 'healthy' };
    },

    identity(_, context) {
      const { manifest } = serve(context);
      return {
        name: manifest.name,
        endpoint: config.endpoint.text,
        type: manifest.type,
        input: manifest.input,
        output: manifest.output,
        dimension: String(manifest.dimension),
        metricType: manifest.metricType,
      };
    },
  };
}

/** Embeds, and holds to the promise that there is a vector for every image. */
async function embed(
  embedder: Embedder,
  request: EmbedRequest,
  signal: AbortSignal,
): ReturnType<Embedder['embed']> {
  const { datas, urls } = request;
  const result = await untilAborted(embedder.embed(request, signal), signal);
  const images = datas.length || urls.length;
  if (result.vectors.length !== images)
    throw new Error(`${images} images gave ${result.vectors.length} vectors`);
  return result;
}

/** What protobuf-es wants of a repeated float. `Array.from` takes some twenty times as long: it goes through an iterator. */
function toNumbers(vector: Float32Array): number[] {
  const numbers = new Array<number>(vector.length);
  for (let i = 0; i < vector.length; i++) numbers[i] = vector[i] ?? 0;
  return numbers;
}

/** The split as browsers' network panels show it: https://www.w3.org/TR/server-timing/ */
const serverTiming = (timings: StageTimings): string =>
  Object.entries(timings)
    .map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`)
    .join(', ');
