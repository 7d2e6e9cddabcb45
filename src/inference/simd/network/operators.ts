/** One ONNX operator each: what the kernels can do with it, or why not. */
import { readFloats, readInt64s } from '../onnx/stored-model.ts';
import { pixels, type Shape, type Value } from './network.ts';
import type { NodeContext } from './node-context.ts';
import { clip, dequantizeLinear, quantisedWeights, quantizeLinear } from './quantisation.ts';
import { outputShape, poolWindow, readWindow } from './windows.ts';

export const operators: Readonly<Record<string, (node: NodeContext) => void>> = {
  Conv: conv,
  BatchNormalization: batchNormalization,
  Relu: relu,
  MaxPool: maxPool,
  Add: add,
  GlobalAveragePool: globalAveragePool,
  Flatten: flatten,
  Reshape: reshape,
  Transpose: transpose,
  Identity: (node) => node.alias(node.value(0)),
  ReduceL2: reduceL2,
  Div: divideByNorm,
  LpNormalization: lpNormalization,
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  Clip: clip,
};

function conv(node: NodeContext): void {
  const { attributes } = node;
  const input = node.value(0);
  const weights = node.tensor(1);
  const [outChannels = 0, inChannels = 0, height = 0, width = 0] = weights.dims;
  if (weights.dims.length !== 4) throw node.unsupported('not two-dimensional');
  if (Math.min(outChannels, inChannels, height, width) < 1)
    throw node.unsupported('weights without values');
  if (attributes.int('group', 1) !== 1) throw node.unsupported('groups');
  if (inChannels !== input.shape.channels)
    throw node.unsupported(`${inChannels} input channels, ${input.shape.channels} come in`);
  const window = readWindow(node, input.shape, { height, width });
  const quantised = quantisedWeights(node);
  node.push({
    kind: 'conv',
    name: node.name,
    input,
    output: node.output({ channels: outChannels, ...outputShape(input.shape, window) }),
    window,
    weights,
    quantised,
    scale: undefined,
    bias: quantised ? undefined : perChannel(node, 2, outChannels),
    residual: undefined,
    relu: false,
  });
}

/** The constant that is input `index`, a value for each channel; undefined when it is left out. */
function perChannel(node: NodeContext, index: number, channels: number): Float32Array | undefined {
  const tensor = node.optionalTensor(index);
  const values = tensor && readFloats(node.reader, tensor);
  if (values && values.length !== channels)
    throw node.unsupported(
      `input ${index} (${tensor.name}) has ${values.length} values for ${channels} channels`,
    );
  return values;
}

/** With fixed statistics: `scale · x + shift` per channel, computed in float64. */
function batchNormalization(node: NodeContext): void {
  const input = node.value(0);
  if (node.attributes.int('training_mode', 0) !== 0) throw node.unsupported('training mode');
  const epsilon = node.attributes.float('epsilon', 1e-5);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) =>
    perChannel(node, i, input.shape.channels),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const factors = Float64Array.from(gamma, (g, i) => g / Math.sqrt(variance[i]! + epsilon));
  node.push({
    kind: 'batchNorm',
    name: node.name,
    input,
    output: node.output(input.shape),
    scale: Float32Array.from(factors),
    shift: Float32Array.from(factors, (factor, i) => beta[i]! - factor * mean[i]!),
  });
}

function relu(node: NodeContext): void {
  const input = node.value(0);
  node.push({ kind: 'relu', name: node.name, input, output: node.output(input.shape) });
}

function maxPool(node: NodeContext): void {
  const input = node.value(0);
  const { window, shape } = poolWindow(node, input.shape);
  node.push({ kind: 'maxPool', name: node.name, input, output: node.output(shape), window });
}

function add(node: NodeContext): void {
  const [input, other] = [node.value(0), node.value(1)];
  if (!sameShape(input.shape, other.shape) || node.rank(0) !== node.rank(1))
    throw node.unsupported('tensors of different shapes');
  const output = node.output(input.shape);
  node.push({ kind: 'add', name: node.name, input, other, output, relu: false });
}

const sameShape = (a: Shape, b: Shape): boolean =>
  a.channels === b.channels && a.height === b.height && a.width === b.width;

function globalAveragePool(node: NodeContext): void {
  const input = node.value(0);
  const output = node.output({ channels: input.shape.channels, height: 1, width: 1 });
  node.push({ kind: 'globalAveragePool', name: node.name, input, output });
}

/** Of an interleaved image only: its order in memory is the kernels' own. */
function transpose(node: NodeContext): void {
  const input = node.interleavedInput(0);
  const order = node.attributes.ints('perm', []);
  if (!input || order.join() !== '0,3,1,2')
    throw node.unsupported('other than of an NHWC input to NCHW');
  node.alias(input);
}

function flatten(node: NodeContext): void {
  channelAxis(node, node.attributes.int('axis', 1));
  asVector(node, 2);
}

/** @throws Unsupported when an axis is not that of the channels, which is the second */
function channelAxis(node: NodeContext, axis: number): void {
  const rank = node.rank(0);
  if (axis !== 1 && axis !== 1 - rank) throw node.unsupported(`axis ${axis} of ${rank} dimensions`);
}

/** To `[batch, channels]` and ones behind them; the batch is one image. */
function reshape(node: NodeContext): void {
  const { channels } = node.value(0).shape;
  const dims = readInt64s(node.reader, node.tensor(1));
  const sizes = [1, channels];
  const fits = dims.every((dim, i) => {
    if (dim === 0) return i < node.rank(0) && node.attributes.int('allowzero', 0) === 0;
    return dim === -1 || dim === (sizes[i] ?? 1);
  });
  if (!fits || dims.length < sizes.length) throw node.unsupported(`to [${dims.join(', ')}]`);
  asVector(node, dims.length);
}

/** A map of one pixel is a vector already. */
function asVector(node: NodeContext, rank: number): void {
  const input = node.value(0);
  if (pixels(input.shape) !== 1)
    throw node.unsupported(`a map of ${input.shape.height}×${input.shape.width} pixels`);
  node.alias(input, rank);
}

/** Half of `x / ReduceL2(x)`: looked at again when the division comes. */
function reduceL2(node: NodeContext): void {
  vectorOnly(node, node.value(0));
  const axes = node.optionalTensor(1);
  const over = axes ? readInt64s(node.reader, axes) : node.attributes.ints('axes', []);
  if (over.length !== 1) throw node.unsupported(`axes [${over.join(', ')}]`);
  channelAxis(node, over[0]!);
  if (node.attributes.int('keepdims', 1) !== 1) throw node.unsupported('keepdims 0');
  node.alias({ name: node.name, shape: { channels: 1, height: 1, width: 1 } });
}

function divideByNorm(node: NodeContext): void {
  const input = node.value(0);
  const norm = node.madeBy(1);
  const dividend = node.node.input[0];
  if (norm?.opType !== 'ReduceL2' || norm.input[0] !== dividend)
    throw node.unsupported('only by the Euclidean norm of the same vector');
  normalise(node, input);
}

function lpNormalization(node: NodeContext): void {
  const input = node.value(0);
  vectorOnly(node, input);
  if (node.attributes.int('p', 2) !== 2) throw node.unsupported('p other than 2');
  channelAxis(node, node.attributes.int('axis', -1));
  normalise(node, input);
}

function normalise(node: NodeContext, input: Value): void {
  node.push({ kind: 'normalise', name: node.name, input, output: node.output(input.shape) });
}

function vectorOnly(node: NodeContext, { shape }: Value): void {
  if (pixels(shape) !== 1) throw node.unsupported('of a map');
}
