/** What half precision does to a model: how far its vectors move, and whether its values fit at all. */
import { create } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { ModelError } from '../errors.ts';
import { float32Value, node } from '../onnx/build.ts';
import { type Drift, embed, measureDrift } from '../quantize/compare.ts';
import type { Graph } from '../quantize/graph.ts';
import { halfNodes } from './convert-graph.ts';
import { largestHalf } from './half-tensor.ts';
import { roundedGraph } from './rounded-graph.ts';

export interface HalfMeasurement {
  /** With weights and stored tensors in half precision, sums in float32. */
  readonly drift: Drift;
  /** The largest absolute value of any tensor that is stored in half precision, and which that is. */
  readonly largest: { readonly tensor: string; readonly value: number };
}

/**
 * @param images - as the network takes them
 * @throws ModelError when a value is beyond half precision on one of them, or a vector has no direction
 */
export async function measureHalf(
  graph: Graph,
  manifest: Manifest,
  images: readonly Float32Array[],
  signal: AbortSignal,
): Promise<HalfMeasurement> {
  const stored = storedTensors(graph);
  const { dimension } = manifest;
  const watched = { ...manifest, dimension: dimension + stored.length };
  const rows = await embed(withExtremes(graph, stored), withOutput(watched), images, signal);
  const largest = stored
    .map((tensor, i) => ({ tensor, value: Math.max(...rows.map((row) => row[dimension + i]!)) }))
    .reduce((most, next) => (next.value > most.value ? next : most));
  if (largest.value > largestHalf)
    throw new ModelError(
      `the values of ${largest.tensor} reach ${largest.value.toPrecision(4)}, and half precision ends at ${largestHalf}: this model cannot be converted to fp16`,
    );
  const reference = rows.map((row) => row.subarray(0, dimension));
  const rounded = await embed(roundedGraph(graph), manifest, images, signal);
  return { drift: measureDrift(reference, rounded), largest };
}

/**
 * Tensors that are stored in half precision and may be larger than those that they are made of. What only a ReLU reads is
 * looked at behind it: beyond the least number lies minus infinity, of which it makes zero just as well.
 */
function storedTensors(graph: Graph): string[] {
  const made = halfNodes(graph).filter(({ opType }) => opType !== 'MaxPool');
  const names = made.flatMap(({ output }) => output);
  const onlyForRelu = (name: string): boolean =>
    graph.readers.get(name)?.every(({ opType }) => opType === 'Relu') ?? false;
  return [graph.input, ...names.filter((name) => !onlyForRelu(name))];
}

const outputName = 'features_and_extremes';

const withOutput = (manifest: Manifest): Manifest => ({
  ...manifest,
  graph: { ...manifest.graph, output: outputName },
});

/** The graph whose output is its own, and behind it the largest absolute value of each of the tensors. */
function withExtremes(graph: Graph, tensors: readonly string[]): ModelProto {
  const flat = (name: string) => node('Flatten', [name], `${name}.flat`, { axis: 1 });
  const extremes = tensors.flatMap((name) => [
    flat(name),
    node('Abs', [`${name}.flat`], `${name}.size`),
    node('ReduceMax', [`${name}.size`], `${name}.largest`, { axes: [1], keepdims: 1 }),
  ]);
  const parts = [`${graph.output}.flat`, ...tensors.map((name) => `${name}.largest`)];
  const all = node('Concat', parts, outputName, { axis: 1 });
  return create(ModelProtoSchema, {
    ...graph.model,
    graph: {
      ...graph.proto,
      node: [...graph.nodes, ...extremes, flat(graph.output), all],
      output: [float32Value(outputName, ['N', 'values'])],
    },
  });
}
