/**
 * The half-precision network in float32: weights and stored tensors are rounded to half precision, sums are not. A CPU
 * engine has no half precision; given the fp16 file, onnxruntime computes in float32 throughout and drops the rounding in
 * between, and would show the drift of the weights alone. Casts that stand in the file it keeps.
 */
import { clone } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { node } from '../onnx/build.ts';
import { constantTensor, dimensions, floatConstant, type Graph } from '../quantize/graph.ts';
import { halfNodes } from './convert-graph.ts';

/** Operators whose results are no half-precision numbers where their inputs are; a maximum is one of its inputs. */
const roundsItsResult = new Set(['Conv', 'Add', 'BatchNormalization']);

/** @param graph - in float32, of operators that can be converted */
export function roundedGraph(graph: Graph): ModelProto {
  const halves = halfNodes(graph);
  const model = clone(ModelProtoSchema, graph.model);
  const proto = model.graph!;
  const nodes: NodeProto[] = [];
  const renamed = new Map<string, string>();
  const round = (name: string): void => {
    nodes.push(node('Cast', [name], `${name}.half`, { to: DataType.FLOAT16 }));
    nodes.push(node('Cast', [`${name}.half`], `${name}.rounded`, { to: DataType.FLOAT }));
    renamed.set(name, `${name}.rounded`);
  };
  round(graph.input);
  for (const original of graph.nodes) {
    const copy = clone(NodeProtoSchema, original);
    copy.input = copy.input.map((name) => renamed.get(name) ?? name);
    nodes.push(copy);
    if (halves.includes(original) && roundsItsResult.has(copy.opType)) copy.output.forEach(round);
  }
  proto.node = nodes;
  proto.valueInfo = [];
  const read = new Set(halves.flatMap(({ input }) => input));
  proto.initializer = proto.initializer.map((tensor) => {
    if (!read.has(tensor.name) || tensor.dataType !== DataType.FLOAT) return tensor;
    const values = new Float32Array(new Float16Array(floatConstant(graph, tensor.name)));
    return constantTensor(tensor.name, dimensions(tensor), values);
  });
  return model;
}
