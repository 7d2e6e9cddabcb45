/** A prepared fp32 model in, its fp16 variant beside it. */
import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { openModel } from '../../src/model/open-model.ts';
import { addVariant, assertAddable } from '../add-variant.ts';
import type { Drift } from '../quantize/compare.ts';
import { readGraphOf } from '../quantize/graph.ts';
import { makeImages, readImages } from '../quantize/images.ts';
import { convertGraph } from './convert-graph.ts';
import { largestHalf } from './half-tensor.ts';
import { type HalfMeasurement, measureHalf } from './measure-half.ts';

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
 * Writes `<model>.fp16.onnx`, measures what half precision does to the embeddings, and lists it in the manifest.
 * @throws ModelError, ConfigError
 */
export async function convertModel(options: ConvertOptions): Promise<Drift> {
  const { model, count, tell, signal } = options;
  const { manifest, slice } = openModel(model, 'fp32');
  assertAddable(model);
  const graph = readGraphOf(slice);
  const half = convertGraph(graph);
  const from = { manifest, count, seed: 1, tell, signal };
  const images =
    options.images === undefined ? makeImages(from) : await readImages(options.images, from);
  const measured = await measureHalf(graph, manifest, images, signal);
  const { drift, largest } = measured;
  const pictures = options.images === undefined ? 'pictures made by code' : 'photographs';
  for (const line of describe(measured, `${images.length} ${pictures}`)) tell(line);
  const bytes = toBinary(ModelProtoSchema, half.model);
  const { onnxPath } = await addVariant({
    ...{ model, manifest, precision: 'fp16', bytes, signal },
    notes: {
      drift: `${images.length} ${pictures}, weights and stored tensors rounded to half precision, sums in float32`,
      meanCosineToFp32: drift.meanCosine,
      minCosineToFp32: drift.minCosine,
      largestActivation: largest.value,
      weights: half.weights,
      vanishedWeights: half.vanished,
    },
  });
  tell(`wrote ${onnxPath} (${(bytes.length / 1e6).toFixed(1)} MB), listed in the manifest`);
  return drift;
}

/** Least cosine for which `--device auto` takes a GPU in fp16 (docs/webgpu.md). */
const leastCosine = 0.999;
/** A GPU that sums in half precision meets larger numbers on the way to a sum than the sum itself. */
const headroom = 4;

function* describe({ drift, largest }: HalfMeasurement, pictures: string): Iterable<string> {
  const { meanCosine, minCosine } = drift;
  const value = largest.value.toPrecision(4);
  yield `fp16 to fp32 on ${pictures}: cosine ${meanCosine.toFixed(7)} on average, ${minCosine.toFixed(7)} at least`;
  yield 'computed with weights and stored tensors rounded to half precision; a GPU rounds its sums, too';
  yield `the largest value of a tensor: ${value} (${largest.tensor}), of ${largestHalf} that half precision has`;
  if (minCosine < leastCosine)
    yield `warning: a cosine of ${minCosine.toFixed(5)} is too low: --device auto asks fp16 for ${leastCosine}, and would not take the GPU`;
  if (largest.value * headroom > largestHalf)
    yield `warning: ${largest.tensor} reaches ${value}: on other pictures, or in the sums of a GPU, values may go beyond ${largestHalf}, and vectors would be damaged`;
}
