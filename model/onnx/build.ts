/** Short forms for the ONNX messages that a network is made of. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';

/** An integer, a list of integers, or a float given as `{ float }`, since JavaScript cannot tell 1 from 1.0. */
export type AttributeValue = number | readonly number[] | { readonly float: number };

export function attribute(name: string, value: AttributeValue): AttributeProto {
  const init = ((): MessageInitShape<typeof AttributeProtoSchema> => {
    if (typeof value === 'number') return { type: AttributeType.INT, i: BigInt(value) };
    if ('float' in value) return { type: AttributeType.FLOAT, f: Math.fround(value.float) };
    return { type: AttributeType.INTS, ints: value.map(BigInt) };
  })();
  return create(AttributeProtoSchema, { name, ...init });
}

/** A node with one output, named after it. */
export function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): NodeProto {
  return create(NodeProtoSchema, {
    name: output,
    opType,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
}

/**
 * A constant float32 tensor. The values are not copied: raw_data is the array's own bytes, little endian like every
 * machine that Bun runs on.
 * @param dims - the product is `values.length`
 */
export function float32Tensor(
  name: string,
  dims: readonly number[],
  values: Float32Array,
): TensorProto {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size !== values.length)
    throw new RangeError(`${name}: ${values.length} values do not fill [${dims.join(', ')}]`);
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: DataType.FLOAT,
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
}

/** A float32 input or output of the graph; a dimension given as text has that name and is known only at run time. */
export function float32Value(name: string, dims: readonly (number | string)[]): ValueInfoProto {
  const dim = dims.map((size) =>
    typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  const tensor = { elemType: DataType.FLOAT, shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: tensor } },
  });
}
