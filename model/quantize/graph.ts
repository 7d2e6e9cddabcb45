/** An ONNX graph with the look-ups quantising needs: who makes a tensor, who reads it, what a constant holds. */
import { closeSync } from 'node:fs';
import { create, fromBinary } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { type FileSlice, openSlice, readSlice } from '../../src/model/file-slice.ts';
import { ModelError } from '../errors.ts';

export interface Graph {
  readonly model: ModelProto;
  readonly proto: GraphProto;
  readonly nodes: readonly NodeProto[];
  /** Constants by name. */
  readonly constants: ReadonlyMap<string, TensorProto>;
  /** The nodes that read a tensor, in graph order. */
  readonly readers: ReadonlyMap<string, readonly NodeProto[]>;
  /** Name of the only input that is not a constant, and of the only output. */
  readonly input: string;
  readonly output: string;
}

/**
 * The graph of a model that was opened, and of no other: its checksum was computed, and its file may have been exchanged
 * since then.
 * @throws ModelError as {@link readGraph}, and when it has been
 */
export function readGraphOf(slice: FileSlice): Graph {
  const bytes = new Uint8Array(slice.length);
  let fd: number | undefined;
  try {
    fd = openSlice(slice);
    readSlice(fd, slice, 0, bytes);
  } catch (error) {
    throw new ModelError(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return readGraph(bytes, slice.path);
}

/** @throws ModelError when the bytes are no ONNX model with one input and one output */
export function readGraph(bytes: Uint8Array, where: string): Graph {
  return indexGraph(parseModel(bytes, where), where);
}

function parseModel(bytes: Uint8Array, where: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new ModelError(`${where}: not an ONNX model: ${(error as Error).message}`);
  }
}

/** The look-ups of a model; they do not follow later changes of it. */
export function indexGraph(model: ModelProto, where: string): Graph {
  const proto = model.graph;
  if (!proto || proto.node.length === 0) throw new ModelError(`${where}: the model has no graph`);
  const constants = new Map(proto.initializer.map((tensor) => [tensor.name, tensor]));
  const readers = new Map<string, NodeProto[]>();
  for (const node of proto.node)
    for (const name of new Set(node.input)) {
      const list = readers.get(name);
      if (list) list.push(node);
      else readers.set(name, [node]);
    }
  const inputs = proto.input.filter(({ name }) => !constants.has(name));
  if (inputs.length !== 1 || proto.output.length !== 1)
    throw new ModelError(
      `${where}: ${inputs.length} inputs and ${proto.output.length} outputs; a graph with one of each is expected`,
    );
  return {
    model,
    proto,
    nodes: proto.node,
    constants,
    readers,
    input: inputs[0]!.name,
    output: proto.output[0]!.name,
  };
}

/** The sizes of a constant. */
export function dimensions(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

/**
 * A float32 constant's values, copied.
 * @throws ModelError when there is no such constant, or it is not float32 within the file
 */
export function floatConstant(graph: Graph, name: string): Float32Array {
  const tensor = graph.constants.get(name);
  if (tensor?.dataType !== DataType.FLOAT || tensor.externalData.length > 0)
    throw new ModelError(`${name}: a float32 constant within the file is expected`);
  if (tensor.floatData.length > 0) return Float32Array.from(tensor.floatData);
  // Copied, for the alignment; not with slice(), which shares the memory when the bytes came as a Buffer.
  return new Float32Array(new Uint8Array(tensor.rawData).buffer);
}

export type ConstantValues = Uint8Array | Int8Array | Int32Array | Float32Array;

/** @param dims - the product is `values.length` */
export function constantTensor(
  name: string,
  dims: readonly number[],
  values: ConstantValues,
): TensorProto {
  const dataType =
    values instanceof Uint8Array
      ? DataType.UINT8
      : values instanceof Int8Array
        ? DataType.INT8
        : values instanceof Int32Array
          ? DataType.INT32
          : DataType.FLOAT;
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType,
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
}
