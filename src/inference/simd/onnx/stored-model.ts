/** An ONNX file, with its structure in memory and its weights still in the file. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from '../../../gen/onnx/onnx_pb.ts';
import { Unsupported } from '../unsupported.ts';
import type { SliceReader } from './slice-reader.ts';
import { type Range, type SplitMessage, splitMessage } from './split-message.ts';

/** A constant tensor, row-major and little endian, in the file or (within a Constant node) in memory. */
export interface StoredTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: DataType;
  readonly data: Range | Uint8Array;
  /** Of an integer tensor that stands for floats: one scale, or one per entry of axis 0. */
  readonly scales?: Float32Array;
}

export interface StoredModel {
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Without its initializers. */
  readonly graph: GraphProto;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Everything of a model but its weights; a ResNet101 has 60 kB. */
const structureLimit = 16 << 20;
/** A tensor's name and dimensions; numbers in typed fields instead of raw_data go beyond it soon. */
const tensorLimit = 64 << 10;

const field = { modelGraph: 7, graphInitializer: 5, graphSparseInitializer: 15, tensorRawData: 9 };

/** @throws Unsupported for external data, sparse tensors, numbers in typed fields, and what is not an ONNX file */
export function readStoredModel(reader: SliceReader): StoredModel {
  const { model: outer, graph: inner } = splitGraph(reader);
  const model = fromBinary(ModelProtoSchema, outer.rest);
  const graph = fromBinary(GraphProtoSchema, inner.rest);
  if (graph.$unknown?.some(({ no }) => no === field.graphSparseInitializer))
    throw new Unsupported('sparse initializers');
  const tensors = inner.apart.map((range) => readTensor(reader, range));
  return {
    opset: Number(model.opsetImport.find(({ domain }) => isOnnxDomain(domain))?.version ?? 0n),
    graph,
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
  };
}

/** The model without its graph, and the graph without its initializers. @throws Unsupported */
export function splitGraph(reader: SliceReader): { model: SplitMessage; graph: SplitMessage } {
  const whole = { start: 0, end: reader.length };
  const model = splitMessage(reader, whole, field.modelGraph, structureLimit);
  const range = model.apart.at(-1);
  if (!range) throw new Unsupported('the ONNX file has no graph');
  return { model, graph: splitMessage(reader, range, field.graphInitializer, structureLimit) };
}

/** The domain of ONNX's own operators has two names. */
export const isOnnxDomain = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

function readTensor(reader: SliceReader, range: Range): StoredTensor {
  const { rest, apart } = splitMessage(reader, range, field.tensorRawData, tensorLimit);
  const proto = fromBinary(TensorProtoSchema, rest);
  return storedTensor(proto, apart.at(-1));
}

/** @param data - where the raw bytes are; undefined when there are none */
export function storedTensor(
  proto: TensorProto,
  data: Range | Uint8Array | undefined,
): StoredTensor {
  if (proto.dataLocation === DataLocation.EXTERNAL)
    throw new Unsupported(`tensor ${proto.name} lies in another file`);
  const dims = proto.dims.map(Number);
  const count = dims.reduce((product, dim) => product * dim, 1);
  const tensor = { name: proto.name, dims, dataType: proto.dataType as DataType };
  if (count === 0) return { ...tensor, data: new Uint8Array(0) };
  if (!data) throw new Unsupported(`tensor ${proto.name} has no raw_data`);
  const bytes = data instanceof Uint8Array ? data.length : data.end - data.start;
  const width = elementBytes[proto.dataType];
  if (width === undefined)
    throw new Unsupported(`tensor ${proto.name} has data type ${DataType[proto.dataType]}`);
  if (bytes !== count * width)
    throw new Unsupported(`tensor ${proto.name} has ${bytes} bytes for ${count} values`);
  return { ...tensor, data };
}

const elementBytes: Partial<Record<number, number>> = {
  [DataType.FLOAT]: 4,
  [DataType.UINT8]: 1,
  [DataType.INT8]: 1,
  [DataType.INT32]: 4,
  [DataType.INT64]: 8,
};

/** The bytes of a tensor small enough to be read whole: a bias, a scale, a shape. */
export function readBytes(reader: SliceReader, { data }: StoredTensor): Uint8Array<ArrayBuffer> {
  return data instanceof Uint8Array
    ? new Uint8Array(data)
    : reader.read(data.start, data.end - data.start);
}

export function readFloats(reader: SliceReader, tensor: StoredTensor): Float32Array {
  if (tensor.dataType !== DataType.FLOAT)
    throw new Unsupported(`tensor ${tensor.name} is ${DataType[tensor.dataType]}, not FLOAT`);
  return new Float32Array(readBytes(reader, tensor).buffer);
}

export function readInt64s(reader: SliceReader, tensor: StoredTensor): number[] {
  if (tensor.dataType !== DataType.INT64)
    throw new Unsupported(`tensor ${tensor.name} is ${DataType[tensor.dataType]}, not INT64`);
  return Array.from(new BigInt64Array(readBytes(reader, tensor).buffer), Number);
}
