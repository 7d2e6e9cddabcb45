/** A residual network and its weights as an ONNX model. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { float32Tensor, float32Value, node } from '../onnx/build.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { type Block, type ConvLayer, layOut } from './layers.ts';
import type { ResnetSpec } from './spec.ts';
import type { WeightReader } from './weights.ts';

/** Old enough for every runtime in use, new enough for per-channel QDQ (13) and BatchNormalization's present form (15). */
const opset = 17;
/** The file format that goes with that operator set. */
const irVersion = 8;

export const inputName = 'input';
export const outputName = 'features';

export interface BuildResnetOptions {
  /**
   * Batch normalisations go into the convolutions; false leaves them as nodes.
   * @default true, since it is the same function with half the passes over memory
   */
  readonly foldBatchNorm?: boolean;
}

/**
 * The network up to the global average pool: `input` float32 `[N, 3, height, width]` → `features` float32
 * `[N, dimension]`, not normalised.
 * @throws ModelError when `weights` has none for a layer
 */
export function buildResnetModel(
  spec: ResnetSpec,
  weights: WeightReader,
  options: BuildResnetOptions = {},
): ModelProto {
  const network = layOut(spec);
  const { height, width } = spec.inputSize;
  const graph = create(GraphProtoSchema, {
    name: spec.architecture,
    input: [float32Value(inputName, ['N', 3, height, width])],
    output: [float32Value(outputName, ['N', network.dimension])],
  });
  const fold = options.foldBatchNorm ?? true;
  const conv = (layer: ConvLayer, input: string) =>
    fold
      ? addFoldedConv(graph, spec, weights, layer, input)
      : addConvAndBatchNorm(graph, spec, weights, layer, input);
  const add = (opType: string, inputs: string[], output: string, attributes = {}): string => {
    graph.node.push(node(opType, inputs, output, attributes));
    return output;
  };
  const block = (input: string, { id, convs, shortcut }: Block): string => {
    let branch = input;
    for (const [index, layer] of convs.entries()) {
      branch = conv(layer, branch);
      if (index < convs.length - 1) branch = add('Relu', [branch], `${layer.id}.relu`);
    }
    const added = shortcut ? conv(shortcut, input) : input;
    return add('Relu', [add('Add', [branch, added], `${id}.add`)], `${id}.relu`);
  };

  let last = add('Relu', [conv(network.stem, inputName)], 'stem.relu');
  // Keras adds a border of zeros before its pool and torchvision pads with minus infinity, as ONNX does. After a ReLU
  // nothing is below zero and every 3x3 window holds a real value, so the two give the same maximum.
  const pool = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  last = add('MaxPool', [last], 'stem.pool', pool);
  for (const each of network.blocks) last = block(last, each);
  last = add('GlobalAveragePool', [last], 'pool');
  add('Flatten', [last], outputName, { axis: 1 });

  return create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: 'resnet50-encoder',
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph,
  });
}

/** {@link buildResnetModel} as the bytes of an ONNX file; the same inputs give the same bytes. */
export function buildResnet(
  spec: ResnetSpec,
  weights: WeightReader,
  options: BuildResnetOptions = {},
): Uint8Array {
  return toBinary(ModelProtoSchema, buildResnetModel(spec, weights, options));
}

function addFoldedConv(
  graph: GraphProto,
  spec: ResnetSpec,
  weights: WeightReader,
  layer: ConvLayer,
  input: string,
): string {
  const { kernel, bias } = foldBatchNorm(weights(layer), spec.epsilon);
  return addConv(graph, layer, { input, output: layer.id, kernel, bias });
}

function addConvAndBatchNorm(
  graph: GraphProto,
  spec: ResnetSpec,
  weights: WeightReader,
  layer: ConvLayer,
  input: string,
): string {
  const { kernel, bias, ...statistics } = weights(layer);
  const convolved = addConv(graph, layer, { input, output: `${layer.id}.conv`, kernel, bias });
  const { gamma, beta, mean, variance } = statistics;
  const names = Object.entries({ gamma, beta, mean, variance }).map(([name, values]) => {
    graph.initializer.push(float32Tensor(`${layer.id}.${name}`, [layer.outChannels], values));
    return `${layer.id}.${name}`;
  });
  const attributes = { epsilon: { float: spec.epsilon } };
  graph.node.push(node('BatchNormalization', [convolved, ...names], layer.id, attributes));
  return layer.id;
}

interface ConvParts {
  input: string;
  output: string;
  kernel: Float32Array;
  bias: Float32Array | undefined;
}

function addConv(graph: GraphProto, layer: ConvLayer, parts: ConvParts): string {
  const { kernel: side, stride, padding, inChannels, outChannels } = layer;
  const inputs = [parts.input, `${layer.id}.weight`];
  const dims = [outChannels, inChannels, side, side];
  graph.initializer.push(float32Tensor(`${layer.id}.weight`, dims, parts.kernel));
  if (parts.bias) {
    inputs.push(`${layer.id}.bias`);
    graph.initializer.push(float32Tensor(`${layer.id}.bias`, [outChannels], parts.bias));
  }
  const attributes = {
    kernel_shape: [side, side],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
  graph.node.push(node('Conv', inputs, parts.output, attributes));
  return parts.output;
}
