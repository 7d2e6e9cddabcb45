import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import {
  type NodeProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { createSimdEngine } from '../../src/inference/simd/engine.ts';
import type { SimdModel } from '../../src/inference/simd/open-network.ts';
import { seeded } from './support/layer-models.ts';
import {
  float32Tensor,
  graphOf,
  modelBytes,
  node,
  tinyResnet,
  writeModel,
} from './support/models.ts';

const inputSize = { height: 8, width: 8 };
const dimension = 16;
const weights = (dims = [16, 3, 3, 3]) =>
  float32Tensor(
    'w',
    dims,
    seeded(
      dims.reduce((a, b) => a * b),
      1,
    ),
  );
const pool = [
  node('GlobalAveragePool', ['last'], 'pooled'),
  node('Flatten', ['pooled'], 'features'),
];
const conv = (attributes = {}) => node('Conv', ['input', 'w'], 'last', attributes);

const model = (nodes: NodeProto[], initializer = [weights()], opset = 17): SimdModel =>
  writeModel(
    modelBytes(graphOf(inputSize, { node: nodes, initializer }), opset),
    inputSize,
    dimension,
  );
const pooled = node('GlobalAveragePool', ['last'], 'pooled');
const constant = (name: string, length: number, value = 1) =>
  float32Tensor(name, [length], new Float32Array(length).fill(value));
const shape = (...dims: number[]) =>
  create(TensorProtoSchema, {
    ...{ name: 'shape', dims: [BigInt(dims.length)], dataType: TensorProto_DataType.INT64 },
    rawData: new Uint8Array(BigInt64Array.from(dims.map(BigInt)).buffer),
  });
const reshape = (attributes = {}) => node('Reshape', ['pooled', 'shape'], 'features', attributes);
const raw = (text: string): SimdModel =>
  writeModel(new TextEncoder().encode(text), inputSize, dimension);
const floats = create(TensorProtoSchema, {
  ...{ name: 'w', dims: [16n, 3n, 1n, 1n], dataType: TensorProto_DataType.FLOAT },
  floatData: [...seeded(48, 1)],
});
const external = create(TensorProtoSchema, {
  ...{ name: 'w', dims: [16n, 3n, 1n, 1n], dataType: TensorProto_DataType.FLOAT },
  dataLocation: TensorProto_DataLocation.EXTERNAL,
  externalData: [{ key: 'location', value: 'weights.bin' }],
});
const double = create(TensorProtoSchema, {
  ...{ name: 'w', dims: [1n], dataType: TensorProto_DataType.DOUBLE },
  rawData: new Uint8Array(8),
});

function cutOff(): SimdModel {
  const { slice, manifest } = tinyResnet({ inputSize });
  return { slice: { ...slice, length: slice.length - 1000 }, manifest };
}

const cases: [string, () => SimdModel, string][] = [
  [
    'an unknown operator',
    () => model([node('Sigmoid', ['input'], 'features')]),
    'operator Sigmoid',
  ],
  ['groups', () => model([conv({ group: 2 }), ...pool]), 'operator Conv (last): groups'],
  [
    'dilations',
    () => model([conv({ dilations: [2, 2] }), ...pool]),
    'operator Conv (last): dilations',
  ],
  [
    'an addition that broadcasts',
    () =>
      model([
        conv(),
        node('GlobalAveragePool', ['last'], 'p'),
        node('Add', ['last', 'p'], 'features'),
      ]),
    'operator Add (features): tensors of different shapes',
  ],
  [
    'a division by something else',
    () => model([conv(), ...pool.slice(0, 1), node('Div', ['pooled', 'last'], 'features')]),
    'operator Div (features): only by the Euclidean norm of the same vector',
  ],
  [
    'batch normalisation without a convolution',
    () => {
      const ones = ['g', 'b', 'm', 'v'].map((n) => float32Tensor(n, [3], Float32Array.of(1, 1, 1)));
      const bn = node('BatchNormalization', ['input', 'g', 'b', 'm', 'v'], 'x');
      const nodes = [bn, node('Conv', ['x', 'w'], 'last'), ...pool];
      return model(nodes, [weights(), ...ones]);
    },
    "batchNorm of the network's input (x)",
  ],
  [
    'batch normalisation of another number of channels',
    () => {
      const bn = node('BatchNormalization', ['last', 'g', 'b', 'm', 'v'], 'x');
      const statistics = ['g', 'b', 'm', 'v'].map((name) => constant(name, 15));
      const end = [node('GlobalAveragePool', ['x'], 'pooled'), pool[1]!];
      return model([conv(), bn, ...end], [weights(), ...statistics]);
    },
    'operator BatchNormalization (x): input 1 (g) has 15 values for 16 channels',
  ],
  [
    'a bias of another number of channels',
    () =>
      model([node('Conv', ['input', 'w', 'b'], 'last'), ...pool], [weights(), constant('b', 17)]),
    'operator Conv (last): input 2 (b) has 17 values for 16 channels',
  ],
  [
    'a bias that is no constant',
    () => model([node('Conv', ['input', 'w', 'b'], 'last'), ...pool]),
    'operator Conv (last): input 2 (b) is not a constant',
  ],
  [
    'a convolution without outputs',
    () => model([conv(), ...pool], [weights([0, 3, 3, 3])]),
    'operator Conv (last): weights without values',
  ],
  [
    'a window that does not move',
    () => model([conv({ strides: [1, 0] }), ...pool]),
    'operator Conv (last): strides 1, 0',
  ],
  [
    'normalising along the last of four dimensions',
    () =>
      model([conv(), pooled, node('LpNormalization', ['pooled'], 'features', { axis: -1, p: 2 })]),
    'operator LpNormalization (features): axis -1 of 4 dimensions',
  ],
  [
    'a length along the last of four dimensions',
    () =>
      model([
        ...[conv(), pooled, node('ReduceL2', ['pooled'], 'length', { axes: [-1], keepdims: 1 })],
        node('Div', ['pooled', 'length'], 'features'),
      ]),
    'operator ReduceL2 (length): axis -1 of 4 dimensions',
  ],
  [
    'an addition of a vector to a map of one pixel',
    () =>
      model([
        ...[conv(), pooled, node('Flatten', ['pooled'], 'flat')],
        node('Add', ['pooled', 'flat'], 'features'),
      ]),
    'operator Add (features): tensors of different shapes',
  ],
  [
    'a Reshape that makes the channels a batch',
    () => model([conv(), pooled, reshape()], [weights(), shape(16, -1)]),
    'operator Reshape (features): to [16, -1]',
  ],
  [
    'a Reshape that means its zeros',
    () => model([conv(), pooled, reshape({ allowzero: 1 })], [weights(), shape(0, -1)]),
    'operator Reshape (features): to [0, -1]',
  ],
  [
    'operators of another time',
    () => model([conv(), ...pool], [weights()], 6),
    "ONNX's operator set 6",
  ],
  [
    'an output that is a map',
    () => model([node('Conv', ['input', 'w'], 'features')]),
    'values, 16 expected',
  ],
  ['a name that is not there', () => model([conv()]), 'the graph has no output named features'],
  ['a value made twice', () => model([conv(), conv(), ...pool]), 'last is made twice'],
  ['weights of another type', () => model([conv(), ...pool], [double]), 'data type DOUBLE'],
  ['weights in typed fields', () => model([conv(), ...pool], [floats]), 'tensor w has no raw_data'],
  [
    'weights in another file',
    () => model([conv(), ...pool], [external]),
    'tensor w lies in another file',
  ],
  ['a file that is cut off', cutOff, 'the ONNX file is damaged or cut off'],
  ['a file of text', () => raw('this is not a model'), 'not an ONNX file'],
  ['an empty file', () => raw(''), 'the ONNX file has no graph'],
];

for (const [what, make, reason] of cases)
  test(`simd, declines ${what} and says so`, async () => {
    const result = await createSimdEngine({ model: make(), threads: 1 });
    if ('engine' in result) await result.engine.close();
    expect(result).toEqual({ unsupported: expect.stringContaining(reason) });
  });
