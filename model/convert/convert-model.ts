/** A prepared fp32 model in, its fp16 variant beside it. */
import { readFileSync } from 'node:fs';
import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { openModel } from '../../src/model/open-model.ts';
import { addVariant, assertAddable } from '../add-variant.ts';
import { type Drift, embed, measureDrift } from '../quantize/compare.ts';
import { readGraph } from '../quantize/graph.ts';
import { makeImages, readImages } from '../quantize/images.ts';
import { convertGraph } from './convert-graph.ts';

export interface ConvertOptions {
  /** The fp32 ONNX file with its manifest beside it. */
  readonly model: string;
  /** A folder of photographs to measure the drift with. @default pictures made by code */
  readonly images: string | undefined;
  /** Most images. */
  readonly count: number;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes `<model>.fp16.onnx`, measures how far its embeddings are from those of fp32, and lists it in the manifest.
 * @throws ModelError, ConfigError
 */
export async function convertModel(options: ConvertOptions): Promise<Drift> {
  const { model, count, tell, signal } = options;
  const { manifest, slice } = openModel(model, 'fp32');
  assertAddable(model);
  const graph = readGraph(new Uint8Array(readFileSync(slice.path)), slice.path);
  const half = convertGraph(graph);
  const from = { manifest, count, seed: 1, tell, signal };
  const images =
    options.images === undefined ? makeImages(from) : await readImages(options.images, from);
  const reference = await embed(graph.model, manifest, images, signal);
  const drift = measureDrift(reference, await embed(half.model, manifest, images, signal));
  const pictures = options.images === undefined ? 'pictures made by code' : 'photographs';
  tell(
    `fp16 to fp32 on ${images.length} ${pictures}: cosine ${drift.meanCosine.toFixed(7)} on average, ${drift.minCosine.toFixed(7)} at least`,
  );
  // onnxruntime computes float16 on the CPU in float32; a GPU adds up in half precision as well.
  tell('measured on the CPU, which rounds where tensors are stored; a GPU rounds its sums, too');
  const bytes = toBinary(ModelProtoSchema, half.model);
  const { onnxPath } = await addVariant({
    ...{ model, manifest, precision: 'fp16', bytes, signal },
    notes: {
      drift: `${images.length} ${pictures}, on the CPU`,
      meanCosineToFp32: drift.meanCosine,
      minCosineToFp32: drift.minCosine,
      weights: half.weights,
      vanishedWeights: half.vanished,
    },
  });
  tell(`wrote ${onnxPath} (${(bytes.length / 1e6).toFixed(1)} MB), listed in the manifest`);
  return drift;
}
