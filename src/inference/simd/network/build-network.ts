/** ONNX graph → layers: finds the operators, follows the names, works out the shapes. */
import type { NodeProto } from '../../../gen/onnx/onnx_pb.ts';
import { attributesOf } from '../onnx/attributes.ts';
import type { SliceReader } from '../onnx/slice-reader.ts';
import { isOnnxDomain, type StoredModel, storedTensor } from '../onnx/stored-model.ts';
import { Unsupported } from '../unsupported.ts';
import type { Layer, Network, Shape, Value } from './network.ts';
import { operators } from './operators.ts';

export interface GraphEnds {
  /** Names of the graph's input and output. */
  readonly input: string;
  readonly output: string;
  readonly inputShape: Shape;
  /** Order of the input's dimensions. NHWC goes through a Transpose before anything else. */
  readonly layout: 'NCHW' | 'NHWC';
}

/** Of the image, and of everything until a Flatten or a Reshape. */
const mapRank = 4;
/** Before it, operators of the same names had other attributes and rules. */
const firstOpset = 7;

/** @throws Unsupported naming the operator */
export function buildNetwork(model: StoredModel, reader: SliceReader, ends: GraphEnds): Network {
  if (model.opset < firstOpset) throw new Unsupported(`ONNX's operator set ${model.opset}`);
  const tensors = new Map(model.tensors);
  const values = new Map<string, Value>();
  const ranks = new Map<string, number>();
  const makers = new Map<string, NodeProto>();
  const layers: Layer[] = [];
  const readers = new Map<string, number>();
  for (const node of model.graph.node)
    for (const name of node.input) readers.set(name, (readers.get(name) ?? 0) + 1);
  const input: Value = { name: ends.input, shape: ends.inputShape };
  if (!model.graph.input.some(({ name }) => name === ends.input))
    throw new Unsupported(`the graph has no input named ${ends.input}`);
  if (ends.layout === 'NCHW') values.set(ends.input, input);

  for (const node of model.graph.node) {
    const [result = '', ...extra] = node.output;
    const unsupported = (reason: string) =>
      new Unsupported(`operator ${node.opType} (${node.name || result}): ${reason}`);
    for (const name of node.output) {
      if (makers.has(name)) throw unsupported(`${name} is made twice`);
      if (name !== '') makers.set(name, node);
    }
    if (!isOnnxDomain(node.domain)) throw unsupported(`operator set ${node.domain}`);
    if (node.opType === 'Constant') {
      const constant = node.attribute.find(({ name }) => name === 'value')?.t;
      if (!constant) throw unsupported('not a tensor');
      tensors.set(result, storedTensor(constant, rawData(constant.rawData)));
      continue;
    }
    const translate = operators[node.opType];
    if (!translate) throw new Unsupported(`operator ${node.opType}`);
    if (extra.some(Boolean)) throw unsupported('more than one output');
    const name = (index: number): string => node.input[index] ?? '';
    const rank = (index: number): number => ranks.get(name(index)) ?? mapRank;
    const tensor = (index: number) => {
      const found = tensors.get(name(index));
      if (!found) throw unsupported(`input ${index} (${name(index)}) is not a constant`);
      return found;
    };
    translate({
      node,
      name: result,
      attributes: attributesOf(node),
      reader,
      value(index) {
        const value = values.get(name(index));
        if (!value) throw unsupported(`input ${index} (${name(index)}) is not an activation`);
        return value;
      },
      rank,
      optionalTensor: (index) => (name(index) === '' ? undefined : tensor(index)),
      tensor,
      define: (tensor) => tensors.set(result, tensor),
      readers: (index) => readers.get(name(index)) ?? 0,
      isConstant: (index) => tensors.has(name(index)),
      output(shape) {
        if (shape.height < 1 || shape.width < 1) throw unsupported('an empty output');
        return { name: result, shape };
      },
      push(layer) {
        layers.push(layer);
        values.set(result, layer.output);
        ranks.set(result, rank(0));
      },
      alias(value, as = rank(0)) {
        values.set(result, value);
        ranks.set(result, as);
      },
      interleavedInput: (index) =>
        ends.layout === 'NHWC' && name(index) === ends.input ? input : undefined,
      producer: (index) => layers.find(({ output }) => output === values.get(name(index))),
      madeBy: (index) => makers.get(name(index)),
      unsupported,
    });
  }

  const output = values.get(ends.output);
  if (!output) throw new Unsupported(`the graph has no output named ${ends.output}`);
  return { input, output, layers };
}

const rawData = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes.length > 0 ? bytes : undefined;
