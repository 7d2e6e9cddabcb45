/** Graphs with QuantizeLinear and DequantizeLinear where a test wants them, whether or not anything would put them there. */
import { create } from '@bufbuild/protobuf';
import { type AttributeValue, attribute } from '../../../model/onnx/build.ts';
import {
  TensorProto_DataType as DataType,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { seeded } from '../../simd/support/layer-models.ts';
import { float32Tensor, graphOf, modelBytes, node, writeModel } from '../../simd/support/models.ts';

/** A tensor as bytes: `positive` is 0..127, `signed` -128..127, `shifted` -100..155. */
export type Storage = 'positive' | 'signed' | 'shifted';
const zeroPoints: Record<Storage, number> = { positive: 0, signed: 128, shifted: 100 };

export interface StoredGraph {
  /** The operators so far. */
  readonly operators: string[];
  /** @returns the name of the node's output, which is unique */
  add(opType: string, inputs: string[], attributes?: Record<string, AttributeValue>): string;
  /** `input` in bytes and back. */
  stored(input: string, storage: Storage, scale: number): string;
  /** A convolution without a bias: with INT8 weights of a scale, or float32 ones of ±1. */
  conv(
    input: string,
    dims: readonly [outputs: number, inputs: number, height: number, width: number],
    options: {
      seed: number;
      scale?: number | undefined;
      attributes?: Record<string, AttributeValue>;
    },
  ): string;
  /** A batch normalisation of `0.5 x + 1`. */
  normalised(input: string, channels: number): string;
  /** @param outputs - further ones of the graph */
  model(
    end: string,
    size: { height: number; width: number },
    channels: number,
    outputs?: readonly string[],
  ): SimdModel;
}

export function createStoredGraph(): StoredGraph {
  const nodes: NodeProto[] = [];
  const initializer: TensorProto[] = [
    ...Object.entries(zeroPoints).map(([name, zero]) => byte(`${name}_zero`, zero)),
    byte('most', 127),
  ];
  const constant = (tensor: TensorProto): string => {
    initializer.push(tensor);
    return tensor.name;
  };
  const add: StoredGraph['add'] = (opType, inputs, attributes = {}) => {
    const made = node(opType, inputs, `v${nodes.length}`);
    for (const [name, value] of Object.entries(attributes))
      made.attribute.push(attribute(name, value));
    nodes.push(made);
    return made.output[0]!;
  };
  const scaleOf = (scale: number): string =>
    constant(float32Tensor(`s${initializer.length}`, [], Float32Array.of(scale)));
  return {
    get operators() {
      return nodes.map(({ opType }) => opType);
    },
    add,
    stored(input, storage, scale) {
      const parameters = [scaleOf(scale), `${storage}_zero`];
      const bytes = add('QuantizeLinear', [input, ...parameters]);
      const kept = storage === 'positive' ? add('Clip', [bytes, '', 'most']) : bytes;
      return add('DequantizeLinear', [kept, ...parameters]);
    },
    conv(input, dims, { seed, scale, attributes }) {
      const name = `w${initializer.length}`;
      const count = dims.reduce((product, dim) => product * dim);
      if (scale === undefined) {
        constant(float32Tensor(name, dims, seeded(count, seed)));
        return add('Conv', [input, name], attributes);
      }
      const values = Int8Array.from(seeded(count, seed, 60), Math.round);
      constant(
        create(TensorProtoSchema, {
          ...{ name, dims: dims.map(BigInt), dataType: DataType.INT8 },
          rawData: new Uint8Array(values.buffer),
        }),
      );
      return add('Conv', [input, add('DequantizeLinear', [name, scaleOf(scale)])], attributes);
    },
    normalised(input, channels) {
      const parameters = [0.5, 1, 0, 1].map((value, i) =>
        constant(
          float32Tensor(
            `n${initializer.length}.${i}`,
            [channels],
            new Float32Array(channels).fill(value),
          ),
        ),
      );
      return add('BatchNormalization', [input, ...parameters]);
    },
    model(end, size, channels, outputs = []) {
      nodes.push(node('Identity', [end], 'features'));
      const read = new Set(nodes.flatMap(({ input }) => input));
      const constants = initializer.filter(({ name }) => read.has(name));
      const graph = graphOf(size, { node: nodes, initializer: constants });
      // Their shapes are onnxruntime's to find out.
      graph.output = ['features', ...outputs].map((name) => create(ValueInfoProtoSchema, { name }));
      return writeModel(modelBytes(graph), size, channels);
    },
  };
}

const byte = (name: string, value: number): TensorProto =>
  create(TensorProtoSchema, {
    ...{ name, dims: [], dataType: DataType.UINT8, rawData: Uint8Array.of(value) },
  });
