/**
 * QuantizeLinear and DequantizeLinear: they leave the network as it is in float32 and note at its values and constants how
 * these are stored. What a format's planner makes of the notes is its own matter.
 */
import { TensorProto_DataType as DataType } from '../../../gen/onnx/onnx_pb.ts';
import { readBytes, readFloats, type StoredTensor } from '../onnx/stored-model.ts';
import type { QuantisedWeights } from './network.ts';
import type { NodeContext } from './node-context.ts';

/** `x` → round(x / scale), saturated. The value that is quantised must have no other reader: it exists in 8 bits only.
 * What comes from a ReLU is not negative, and a pool of integers has the bounds of what goes into it. */
export function quantizeLinear(node: NodeContext): void {
  const value = node.value(0);
  const { scale, zeroPoint, range } = scalarParameters(node);
  if (node.readers(0) > 1 || value.quantised || value.name !== node.node.input[0])
    throw node.unsupported(`${node.node.input[0]} is read as a float as well`);
  const maker = node.producer(0);
  const pooled = maker?.kind === 'maxPool' ? maker.input.quantised : undefined;
  const alike = pooled?.scale === scale && pooled.zeroPoint === zeroPoint ? pooled : undefined;
  const least = maker?.kind === 'relu' ? 0 : (alike?.least ?? Number.NEGATIVE_INFINITY);
  value.quantised = {
    scale,
    zeroPoint,
    least: Math.max(range[0] - zeroPoint, least),
    most: Math.min(range[1] - zeroPoint, alike?.most ?? Number.POSITIVE_INFINITY),
  };
  node.alias(value);
}

/** Of the integers right behind a QuantizeLinear; a Clip of floats is another operator to us. */
export function clip(node: NodeContext): void {
  const quantised = node.isConstant(0) ? undefined : node.value(0).quantised;
  if (!quantised || node.madeBy(0)?.opType !== 'QuantizeLinear')
    throw node.unsupported('only of what a QuantizeLinear made');
  if (node.readers(0) > 1)
    throw node.unsupported(`${node.node.input[0]} is read without it as well`);
  if (quantised.zeroPoint !== 0) throw node.unsupported('of integers with a zero point');
  const bound = (index: number, missing: number): number => {
    const tensor = node.optionalTensor(index);
    return tensor ? integers(node, tensor)[0]! : missing;
  };
  node.value(0).quantised = {
    ...quantised,
    least: Math.max(quantised.least, bound(1, quantised.least)),
    most: Math.min(quantised.most, bound(2, quantised.most)),
  };
  node.alias(node.value(0));
}

export function dequantizeLinear(node: NodeContext): void {
  if (node.isConstant(0)) {
    dequantiseConstant(node);
    return;
  }
  const value = node.value(0);
  const { scale, zeroPoint } = scalarParameters(node);
  if (value.quantised?.scale !== scale || value.quantised.zeroPoint !== zeroPoint)
    throw node.unsupported('not with the scale and zero point that its input was quantised with');
  node.alias(value);
}

/** Per tensor or along axis 0; symmetric, so that a value is integer · scale. */
function dequantiseConstant(node: NodeContext): void {
  const tensor = node.tensor(0);
  const scales = readFloats(node.reader, node.tensor(1));
  const zeroPoints = node.optionalTensor(2);
  if (node.attributes.int('block_size', 0) !== 0) throw node.unsupported('in blocks');
  if (scales.length > 1) {
    const axis = node.attributes.int('axis', 1);
    if (axis !== 0 || scales.length !== tensor.dims[0])
      throw node.unsupported(`${scales.length} scales along axis ${axis}`);
  }
  if (zeroPoints && integers(node, zeroPoints).some((zero) => zero !== 0))
    throw node.unsupported('of weights with a zero point');
  node.define({ ...tensor, scales });
}

function scalarParameters(node: NodeContext) {
  const scales = readFloats(node.reader, node.tensor(1));
  const zeroPoints = node.optionalTensor(2);
  if (scales.length !== 1) throw node.unsupported('of activations with more than one scale');
  const scale = scales[0]!;
  if (!(scale > 0)) throw node.unsupported(`scale ${scale}`);
  const type = zeroPoints?.dataType ?? node.attributes.int('output_dtype', DataType.UINT8);
  if (type !== DataType.UINT8 && type !== DataType.INT8)
    throw node.unsupported(`to ${DataType[type]}`);
  const signed = type === DataType.INT8;
  return {
    scale,
    zeroPoint: zeroPoints ? integers(node, zeroPoints)[0]! : 0,
    range: signed ? ([-128, 127] as const) : ([0, 255] as const),
  };
}

function integers(node: NodeContext, tensor: StoredTensor): Uint8Array | Int8Array | Int32Array {
  const bytes = readBytes(node.reader, tensor);
  switch (tensor.dataType) {
    case DataType.UINT8:
      return bytes;
    case DataType.INT8:
      return new Int8Array(bytes.buffer);
    case DataType.INT32:
      return new Int32Array(bytes.buffer);
    default:
      throw node.unsupported(`${tensor.name} is ${DataType[tensor.dataType]}`);
  }
}

/** How far a bias's scale may be from the product of the other two: they are rounded to float32. */
const tolerance = 1e-5;

/** @returns undefined when the convolution's weights are floats */
export function quantisedWeights(node: NodeContext): QuantisedWeights | undefined {
  const weights = node.tensor(1);
  const bias = node.optionalTensor(2);
  if (!weights.scales) {
    if (weights.dataType !== DataType.FLOAT)
      throw node.unsupported(`weights of type ${DataType[weights.dataType]}`);
    return undefined;
  }
  const input = node.value(0).quantised;
  if (weights.dataType !== DataType.INT8 || !input)
    throw node.unsupported('8-bit weights and an input that is not quantised, or not as INT8');
  const [channels = 0] = weights.dims;
  const perTensor = weights.scales.length === 1;
  const scales = perTensor ? new Float32Array(channels).fill(weights.scales[0]!) : weights.scales;
  if (!bias) return { scales, bias: undefined };
  const fits = (scale: number, i: number): boolean =>
    Math.abs(scale / (input.scale * scales[i]!) - 1) < tolerance;
  if (
    bias.dataType !== DataType.INT32 ||
    bias.scales?.length !== channels ||
    !bias.scales.every(fits)
  )
    throw node.unsupported('a bias that is not INT32 with scale input scale · weight scale');
  return { scales, bias: new Int32Array(readBytes(node.reader, bias).buffer) };
}
