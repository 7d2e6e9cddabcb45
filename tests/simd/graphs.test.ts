import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { attribute } from '../../model/onnx/build.ts';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { openNetwork } from '../../src/inference/simd/open-network.ts';
import { openInProcess } from './support/in-process.ts';
import { seeded } from './support/layer-models.ts';
import {
  float32Tensor,
  graphOf,
  modelBytes,
  node,
  tinyResnet,
  writeModel,
} from './support/models.ts';

const inputSize = { height: 9, width: 10 };
const image = seeded(3 * 90, 7);
const dimension = 20;

/** image → 3×3 convolution `last` → `nodes`, which make `features`. */
const around = (
  nodes: NodeProto[],
  { conv = node('Conv', ['input', 'w'], 'last'), shape = [] as readonly number[] } = {},
) => {
  const int64 = (name: string, values: readonly number[]) =>
    create(TensorProtoSchema, {
      ...{ name, dims: [BigInt(values.length)], dataType: TensorProto_DataType.INT64 },
      rawData: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer),
    });
  const graph = graphOf(inputSize, {
    node: [conv, ...nodes],
    initializer: [
      float32Tensor('w', [dimension, 3, 3, 3], seeded(27 * dimension, 1)),
      float32Tensor('square', [dimension, dimension, 1, 1], seeded(dimension ** 2, 2)),
      int64('shape', shape),
    ],
  });
  return writeModel(modelBytes(graph), inputSize, dimension);
};
const pooled = node('GlobalAveragePool', ['last'], 'pooled');
const flat = node('Flatten', ['pooled'], 'flat');
const plain = openInProcess(around([pooled, node('Flatten', ['pooled'], 'features')])).run(image);

for (const shape of [
  [0, -1],
  [-1, dimension],
  [1, dimension],
  [0, 0],
  [-1, dimension, 1, 1],
])
  test(`Reshape to [${shape}], leaves the vector as it is`, () => {
    const model = around([pooled, node('Reshape', ['pooled', 'shape'], 'features')], { shape });
    expect(openInProcess(model).run(image)).toEqual(plain);
  });

const norm = Math.sqrt(plain.reduce((sum, x) => sum + x * x, 0));
const normalised = plain.map((x) => x / norm);
const ways: Record<string, NodeProto[]> = {
  LpNormalization: [node('LpNormalization', ['flat'], 'features', { axis: 1, p: 2 })],
  'ReduceL2 and Div': [
    node('ReduceL2', ['flat'], 'norm', { axes: [1], keepdims: 1 }),
    node('Div', ['flat', 'norm'], 'features'),
  ],
};
for (const [name, nodes] of Object.entries(ways))
  test(`${name}, divides by the Euclidean norm`, () => {
    const row = openInProcess(around([pooled, flat, ...nodes])).run(image);
    expect(row).toHaveLength(dimension);
    for (const [i, x] of row.entries()) expect(x).toBeCloseTo(normalised[i]!, 6);
  });

test('BatchNormalization without an epsilon, has that of the standard, 1e-5', () => {
  const parts = ['gamma', 'beta', 'mean', 'variance'];
  const run = (attributes: Parameters<typeof node>[3]): Float32Array => {
    const graph = graphOf(inputSize, {
      node: [
        node('Conv', ['input', 'w'], 'conv'),
        node('BatchNormalization', ['conv', ...parts], 'last', attributes),
        ...[pooled, node('Flatten', ['pooled'], 'features')],
      ],
      initializer: [
        float32Tensor('w', [dimension, 3, 3, 3], seeded(27 * dimension, 1)),
        // A variance beside which epsilon counts.
        ...parts.map((name) =>
          float32Tensor(name, [dimension], new Float32Array(dimension).fill(1e-4)),
        ),
      ],
    });
    return openInProcess(writeModel(modelBytes(graph), inputSize, dimension)).run(image);
  };
  expect(run({})).toEqual(run({ epsilon: { float: 1e-5 } }));
  expect(run({})).not.toEqual(run({ epsilon: { float: 1e-3 } }));
});

test('an NHWC input, gives the same as the same image in NCHW', () => {
  const { height, width } = inputSize;
  const graph = graphOf(inputSize, {
    node: [
      node('Transpose', ['input'], 'planar', { perm: [0, 3, 1, 2] }),
      ...[node('Conv', ['planar', 'w'], 'last'), pooled, node('Flatten', ['pooled'], 'features')],
    ],
    initializer: [float32Tensor('w', [dimension, 3, 3, 3], seeded(27 * dimension, 1))],
  });
  const model = writeModel(modelBytes(graph), { ...inputSize, layout: 'NHWC' }, dimension);
  const interleaved = image.map((_, i) => image[(i % 3) * height * width + Math.floor(i / 3)]!);
  expect(openInProcess(model).run(interleaved)).toEqual(plain);
});

for (const [mode, pads] of [
  ['SAME_UPPER', [1, 0, 1, 1]],
  ['SAME_LOWER', [1, 1, 1, 0]],
  ['VALID', [0, 0, 0, 0]],
] as const)
  test(`auto_pad ${mode}, pads as explicit pads do`, () => {
    const features = [pooled, node('Flatten', ['pooled'], 'features')];
    const run = (change: (conv: NodeProto) => void): Float32Array => {
      const conv = node('Conv', ['input', 'w'], 'last', { strides: [2, 2] });
      change(conv);
      return openInProcess(around(features, { conv })).run(image);
    };
    const automatic = run((conv) => {
      const s = new TextEncoder().encode(mode);
      const { STRING } = AttributeProto_AttributeType;
      conv.attribute.push(create(AttributeProtoSchema, { name: 'auto_pad', type: STRING, s }));
    });
    const explicit = run((conv) => conv.attribute.push(attribute('pads', pads)));
    expect(automatic).toEqual(explicit);
  });

test('fuse, leaves a bottleneck network with convolutions and pools only', () => {
  for (const foldBatchNorm of [true, false]) {
    const { layers } = openNetwork(tinyResnet({ blocks: [1, 1] }, { foldBatchNorm }));
    const kinds = layers.map((layer): string => layer.kind);
    const convs = Array<string>(8).fill('conv');
    expect(kinds).toEqual(['conv', 'maxPool', ...convs, 'globalAveragePool']);
    const fused = layers.filter((layer) => layer.kind === 'conv' && layer.residual && layer.relu);
    expect(fused.length).toBe(2);
  }
});

test('fuse, lets a convolution take one addition and leaves the next to itself', () => {
  const features = [
    node('MaxPool', ['last'], 'pool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node('Conv', ['pool', 'square'], 'conv'),
    node('Add', ['conv', 'last'], 'first'),
    node('Add', ['first', 'pool'], 'second'),
    node('Relu', ['second'], 'relu'),
    node('GlobalAveragePool', ['relu'], 'pooled'),
    node('Flatten', ['pooled'], 'features'),
  ];
  const model = around(features, {
    conv: node('Conv', ['input', 'w'], 'last', { pads: [1, 1, 1, 1] }),
  });
  const { layers } = openNetwork(model);
  expect(layers.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    ...['last: conv', 'pool: maxPool', 'conv: conv', 'second: add', 'pooled: globalAveragePool'],
  ]);
  expect(layers[2]).toMatchObject({ residual: layers[0]!.output, relu: false });
  expect(layers[3]).toMatchObject({ relu: true });
});

test('nodes of the same name, keep their own weights and biases', () => {
  const bias = (name: string, seed: number) =>
    float32Tensor(name, [dimension], seeded(dimension, seed));
  const graph = (names: string[]) =>
    graphOf(inputSize, {
      node: [
        node('Conv', ['input', 'w', 'b1'], 'first'),
        node('Conv', ['first', 'square', 'b2'], 'second'),
        node('GlobalAveragePool', ['second'], 'pooled'),
        node('Flatten', ['pooled'], 'features'),
      ].map((each, i) => ({ ...each, name: names[i] ?? '' })),
      initializer: [
        float32Tensor('w', [dimension, 3, 3, 3], seeded(27 * dimension, 1)),
        float32Tensor('square', [dimension, dimension, 1, 1], seeded(dimension ** 2, 2)),
        ...[bias('b1', 3), bias('b2', 4)],
      ],
    });
  const run = (names: string[]) =>
    openInProcess(writeModel(modelBytes(graph(names)), inputSize, dimension)).run(image);
  expect(run(['conv', 'conv'])).toEqual(run(['first', 'second']));
});
