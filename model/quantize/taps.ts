/** A graph with inner tensors laid open: all of them, one after the other, as one output. */
import { create } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { float32Value, node } from '../onnx/build.ts';
import type { Graph } from './graph.ts';

/** A tensor of the graph, for one image. */
export interface Tap {
  readonly name: string;
  readonly channels: number;
  /** Values per channel. */
  readonly pixels: number;
}

const outputName = 'taps';

export interface TappedModel {
  readonly model: ModelProto;
  readonly output: string;
  /** Values of the output: those of the first tap, channel by channel, then those of the second … */
  readonly values: number;
}

export function tapModel(graph: Graph, taps: readonly Tap[]): TappedModel {
  const flat = taps.map(({ name }) => node('Flatten', [name], `${name}_tap`, { axis: 1 }));
  const names = flat.map(({ output }) => output[0]!);
  const nodes = [...graph.nodes, ...flat, node('Concat', names, outputName, { axis: 1 })];
  const values = taps.reduce((sum, { channels, pixels }) => sum + channels * pixels, 0);
  // Only named: onnxruntime's inference of shapes counts a window more than its own pool makes, where ceil_mode leaves one out.
  const output = [float32Value(outputName, ['N', 'values'])];
  const model = create(ModelProtoSchema, {
    ...graph.model,
    graph: { ...graph.proto, node: nodes, output },
  });
  return { model, output: outputName, values };
}

/** The taps' values within the output of a run. */
export function splitTaps(taps: readonly Tap[], output: Float32Array): Float32Array[] {
  let start = 0;
  return taps.map(({ channels, pixels }) => {
    const end = start + channels * pixels;
    const values = output.subarray(start, end);
    start = end;
    return values;
  });
}
