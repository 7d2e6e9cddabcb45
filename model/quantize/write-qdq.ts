/** Writes the quantised graph as standard ONNX: QuantizeLinear and DequantizeLinear around what runs in 8 bits. */
import { create } from '@bufbuild/protobuf';
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from '../../src/gen/onnx/onnx_pb.ts';
import { node } from '../onnx/build.ts';
import { type ConstantValues, constantTensor, dimensions, type Graph } from './graph.ts';
import type { Activation, QuantisationPlan, QuantisedConv } from './plan.ts';
import type { QuantisedWeights } from './weights.ts';

export interface QuantisedParameters {
  /** Per activation: value = (byte - zero point) * scale. */
  readonly scales: ReadonlyMap<Activation, number>;
  readonly convs: ReadonlyMap<QuantisedConv, ConvParameters>;
}

export interface ConvParameters {
  readonly weights: QuantisedWeights;
  /** float32; rounded here to 32 bits of input scale * weight scale, the only scale that onnxruntime takes. */
  readonly bias: Float32Array;
}

/** Of a signed tensor, so that bytes 0..255 mean -128..127; a ReLU's output has 0. */
const signedZeroPoint = 128;
const largestPositive = 127;

/**
 * The graph in QDQ form. Every 8-bit tensor is uint8 and a ReLU stands before its QuantizeLinear: the form for which
 * onnxruntime runs a convolution and its ReLU as one QLinearConv. Between QuantizeLinear and DequantizeLinear a Clip at 127
 * leaves 7 bits: the most for which the simd engine's products are exact on every machine.
 */
export function writeQdq(
  graph: Graph,
  plan: QuantisationPlan,
  parameters: QuantisedParameters,
): ModelProto {
  const nodes: NodeProto[] = [];
  const constants = new Map<string, TensorProto>();
  const constant = (name: string, dims: readonly number[], values: ConstantValues): string => {
    constants.set(name, constantTensor(name, dims, values));
    return name;
  };
  const most = constant('largest_positive', [], new Uint8Array([largestPositive]));
  /** What the readers of a tensor of the fp32 graph read instead. */
  const renamed = new Map<string, string>();

  const quantise = (name: string, activation: Activation): void => {
    const { kind } = activation;
    const zero = kind === 'signed' ? signedZeroPoint : 0;
    const scale = constant(
      `${activation.name}_scale`,
      [],
      new Float32Array([parameters.scales.get(activation)!]),
    );
    const zeroPoint = constant(`${kind}_zero_point`, [], new Uint8Array([zero]));
    let bytes = `${name}_quantized`;
    nodes.push(node('QuantizeLinear', [name, scale, zeroPoint], bytes));
    // A pool of clipped values is clipped.
    if (kind === 'positive' && name === activation.name) {
      nodes.push(node('Clip', [bytes, '', most], `${name}_clipped`));
      bytes = `${name}_clipped`;
    }
    nodes.push(node('DequantizeLinear', [bytes, scale, zeroPoint], `${name}_dequantized`));
    renamed.set(name, `${name}_dequantized`);
  };

  const dequantised = (
    name: string,
    dims: readonly number[],
    values: Int8Array | Int32Array,
    scales: Float32Array,
  ): string => {
    const inputs = [
      constant(`${name}_quantized`, dims, values),
      constant(`${name}_scale`, [scales.length], scales),
    ];
    // onnxruntime asks for the zero points of weights, not for those of biases.
    const { length } = scales;
    if (values instanceof Int8Array)
      inputs.push(constant(`weight_zero_points_${length}`, [length], new Int8Array(length)));
    nodes.push(node('DequantizeLinear', inputs, `${name}_dequantized`, { axis: 0 }));
    return `${name}_dequantized`;
  };

  const writeConv = (conv: QuantisedConv): NodeProto => {
    const { weights, bias } = parameters.convs.get(conv)!;
    const dims = dimensions(graph.constants.get(conv.weights)!);
    const inputScale = parameters.scales.get(conv.reads)!;
    const biasScales = weights.scales.map((scale) => inputScale * scale);
    const integers = Int32Array.from(bias, (value, i) => Math.round(value / biasScales[i]!));
    const inputs = [
      renamed.get(conv.input)!,
      dequantised(conv.weights, dims, weights.values, weights.scales),
      dequantised(conv.bias ?? `${conv.node.name}_bias`, [bias.length], integers, biasScales),
    ];
    return { ...conv.node, input: inputs };
  };

  for (const original of graph.nodes) {
    const conv = plan.convs.find((candidate) => candidate.node === original);
    const input = original.input.map((name) => renamed.get(name) ?? name);
    nodes.push(conv ? writeConv(conv) : { ...original, input });
    const output = original.output[0]!;
    const activation = plan.activationOf.get(output);
    // What goes into a ReLU is quantised behind it.
    if (activation && (activation.name === output || original.opType === 'MaxPool'))
      quantise(output, activation);
  }
  const read = new Set(nodes.flatMap(({ input }) => input));
  for (const [name, value] of graph.constants) if (read.has(name)) constants.set(name, value);
  return create(ModelProtoSchema, {
    ...graph.model,
    graph: { ...graph.proto, node: nodes, initializer: smallFirst(constants), valueInfo: [] },
  });
}

/** Scales and zero points lie together, for whoever reads only them. */
const smallFirst = (constants: ReadonlyMap<string, TensorProto>): TensorProto[] =>
  [...constants.values()].sort((a, b) => a.rawData.length - b.rawData.length);
