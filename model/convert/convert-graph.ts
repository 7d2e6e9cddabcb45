/**
 * A graph in half precision: weights and activations are float16, the input and everything from the global average pool on
 * stay float32, so that the embedding itself is neither summed nor rounded in half precision.
 */
import { clone, create } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { ModelError } from '../errors.ts';
import { node } from '../onnx/build.ts';
import { floatConstant, type Graph } from '../quantize/graph.ts';
import { halfTensor } from './half-tensor.ts';

/** Operators that give the same in half precision, up to rounding, without any other change. */
const halfOperators = new Set(['Conv', 'Relu', 'Add', 'MaxPool', 'Clip', 'BatchNormalization']);
/** Where float32 begins again. */
const tailOperators = new Set(['GlobalAveragePool', 'Flatten', 'Reshape', 'Identity']);

export interface HalfGraph {
  readonly model: ModelProto;
  /** Weights converted, and those of them that are zero in half precision only. */
  readonly weights: number;
  readonly vanished: number;
}

/** @throws ModelError naming an operator that cannot be converted, or a weight that is too large */
export function convertGraph(graph: Graph): HalfGraph {
  const halves = halfNodes(graph);
  const made = new Set(halves.flatMap(({ output }) => output));
  const model = clone(ModelProtoSchema, graph.model);
  const proto = model.graph ?? create(GraphProtoSchema);
  model.graph = proto;

  const inputCast = `${graph.input}.half`;
  const asHalf = (name: string): string => (name === graph.input ? inputCast : name);
  const nodes: NodeProto[] = [cast(graph.input, inputCast, DataType.FLOAT16)];
  const widened = new Set<string>();
  for (const original of graph.nodes) {
    const copy = clone(NodeProtoSchema, original);
    if (halves.includes(original)) copy.input = copy.input.map(asHalf);
    else
      copy.input = copy.input.map((name) => {
        if (!made.has(name)) return name;
        if (!widened.has(name)) nodes.push(cast(name, `${name}.float`, DataType.FLOAT));
        widened.add(name);
        return `${name}.float`;
      });
    nodes.push(copy);
  }
  if (made.has(graph.output)) throw new ModelError('the graph ends without a global average pool');
  proto.node = nodes;
  // What it says of inner tensors' types is out of date.
  proto.valueInfo = [];

  let weights = 0;
  let vanished = 0;
  const read = new Set(halves.flatMap(({ input }) => input));
  proto.initializer = proto.initializer.map((tensor) => {
    if (!read.has(tensor.name) || tensor.dataType !== DataType.FLOAT) return tensor;
    const half = halfTensor(tensor.name, tensor.dims, floatConstant(graph, tensor.name));
    weights += half.tensor.rawData.length / 2;
    vanished += half.vanished;
    return half.tensor;
  });
  return { model, weights, vanished };
}

/**
 * The nodes that compute in half precision: up to the first one of the tail.
 * @throws ModelError naming an operator that cannot be converted
 */
export function halfNodes({ nodes }: Graph): NodeProto[] {
  const end = nodes.findIndex(({ opType }) => tailOperators.has(opType));
  const halves = nodes.slice(0, end < 0 ? nodes.length : end);
  const known = (set: ReadonlySet<string>) => (n: NodeProto) => set.has(n.opType);
  const tail = nodes.slice(halves.length);
  const foreign = [
    ...halves.filter((n) => !known(halfOperators)(n)),
    ...tail.filter((n) => !known(tailOperators)(n)),
  ];
  if (foreign.length > 0)
    throw new ModelError(
      `operators that are not converted to half precision: ${[...new Set(foreign.map(({ opType }) => opType))].join(', ')}`,
    );
  return halves;
}

const cast = (from: string, to: string, type: DataType): NodeProto =>
  node('Cast', [from], to, { to: type });
