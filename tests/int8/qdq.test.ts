import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { attribute } from '../../model/onnx/build.ts';
import { readGraph } from '../../model/quantize/graph.ts';
import { planQuantisation } from '../../model/quantize/plan.ts';
import {
  TensorProto_DataType as DataType,
  type GraphProto,
  ModelProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../src/inference/simd/open-network.ts';
import { openNetwork } from '../../src/inference/simd/open-network.ts';
import { planNetwork } from '../../src/inference/simd/plan/plan-network.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { float32Tensor, graphOf, modelBytes, node, writeModel } from '../simd/support/models.ts';
import { modelAround, type QdqGraph, qdqModel, shapeOnly } from './support/qdq-models.ts';
import { quantisedResnet } from './support/quantised.ts';

test('the QDQ file, runs as QLinearConv in onnxruntime and stores weights as bytes', async () => {
  const { int8, fp32 } = await quantisedResnet({ block: 'bottleneck' });
  const { slice, manifest } = int8;
  const { height, width } = manifest.graph;
  const script = join(import.meta.dir, 'support/profile-session.ts');
  const args = [slice.path, height, width, manifest.dimension].map(String);
  const child = Bun.spawnSync([process.execPath, script, ...args]);
  const operators = Array.from(
    child.stdout.toString().matchAll(/"op_name" : "(\w+)"/g),
    ([, name]) => name,
  );
  const count = (name: string) => operators.filter((operator) => operator === name).length;
  const convs = readGraph(new Uint8Array(readFileSync(fp32.slice.path)), 'fp32').nodes.filter(
    ({ opType }) => opType === 'Conv',
  ).length;
  // All but that of the image.
  expect(count('QLinearConv')).toBe(convs - 1);
  expect(count('Conv') + count('FusedConv')).toBe(1);
  expect(count('QLinearAdd')).toBe(3);
  expect(count('Relu')).toBe(0);
  // Of the image's convolution on the way in, and before the global average pool on the way out.
  expect(count('QuantizeLinear') + count('DequantizeLinear')).toBeLessThanOrEqual(2);

  const { graph } = readGraph(new Uint8Array(readFileSync(slice.path)), 'int8').model;
  const floats = graph!.initializer.filter(({ dataType }) => dataType === DataType.FLOAT);
  const largest = Math.max(...floats.map(({ rawData }) => rawData.length / 4));
  // The image's weights: 16 channels of 7×7×3.
  expect(largest).toBe(16 * 3 * 49);
});

const around = { channels: 16, height: 8, width: 8, seed: 1, saturation: 1 };
const weights = {
  values: Int8Array.from(seeded(256, 2, 50)),
  scales: new Float32Array(16).fill(0.01),
  bias: new Int32Array(16),
};
const nodes = [node('Conv', ['before', 'conv.weight'], 'conv'), node('Relu', ['conv'], 'tested')];
const graph: Omit<QdqGraph, 'height' | 'width'> = {
  nodes,
  initializers: [shapeOnly('conv.weight', [16, 16, 1, 1])],
  dimension: 16,
  scales: { tested: 1 },
  convs: { conv: weights },
};

/** The quantised model, changed. */
function changed(change: (graph: GraphProto) => void, from = graph): SimdModel {
  const model = modelAround(around, from);
  const bytes = new Uint8Array(readFileSync(model.slice.path));
  const parsed = readGraph(bytes, 'test').model;
  change(parsed.graph!);
  return writeModel(
    toBinary(ModelProtoSchema, create(ModelProtoSchema, parsed)),
    model.manifest.graph,
    16,
  );
}
const find = (g: GraphProto, output: string) => g.node.find((n) => n.output[0] === output)!;
const setScale = (g: GraphProto, name: string, values: readonly number[]): void => {
  const tensor = g.initializer.find((t) => t.name === name)!;
  tensor.rawData = new Uint8Array(Float32Array.from(values).buffer);
};

/** Adds `name` to what is pooled: what nothing reads is left out before it could be declined. */
const readAsWell = (g: GraphProto, name: string): void => {
  const pooled = find(g, 'pooled');
  g.node.splice(g.node.indexOf(pooled), 0, node('Add', [pooled.input[0]!, name], 'both'));
  pooled.input[0] = 'both';
};

const refused: Record<string, [(graph: GraphProto) => void, RegExp]> = {
  'activations of all 8 bits': [
    (g) => {
      for (const reader of g.node)
        reader.input = reader.input.map((name) => name.replace('_clipped', '_quantized'));
      g.node = g.node.filter(({ opType }) => opType !== 'Clip');
    },
    /0\.\.255, 8-bit activations must be 0\.\.127 or -128\.\.127/,
  ],
  'a convolution of what may be negative': [
    (g) => {
      g.node = g.node.filter(({ opType }) => opType !== 'Clip');
      for (const reader of g.node) {
        reader.input = reader.input.map((name) =>
          name.replace('_clipped', '_quantized').replace('positive_zero', 'signed_zero'),
        );
      }
      find(g, 'before_quantized').input[0] = 'image';
      g.node = g.node.filter(({ output }) => output[0] !== 'before');
      const zero = structuredClone(g.initializer.find((t) => t.name === 'positive_zero_point')!);
      g.initializer.push({ ...zero, name: 'signed_zero_point', rawData: Uint8Array.of(128) });
    },
    /conv conv: its input may be negative/,
  ],
  'a bias of another scale': [
    (g) => setScale(g, 'conv_bias_scale', new Array(16).fill(0.5)),
    /a bias that is not INT32 with scale input scale · weight scale/,
  ],
  'a dequantisation with another scale': [
    (g) => {
      g.initializer.push(float32Tensor('other_scale', [], Float32Array.of(3)));
      find(g, 'before_dequantized').input[1] = 'other_scale';
    },
    /not with the scale and zero point that its input was quantised with/,
  ],
  'weights with a zero point': [
    (g) => {
      const zeros = g.initializer.find((t) => t.name === 'weight_zero_points_16')!;
      zeros.rawData = new Uint8Array(16).fill(3);
    },
    /of weights with a zero point/,
  ],
  'a value that is read as a float as well': [
    (g) => readAsWell(g, 'before'),
    /before is read as a float as well/,
  ],
  'float weights behind bytes': [
    (g) => {
      const conv = find(g, 'conv');
      conv.input = [conv.input[0]!, 'float_weights'];
      g.initializer.push(float32Tensor('float_weights', [16, 16, 1, 1], new Float32Array(256)));
    },
    /conv conv: float32 weights behind 8-bit activations/,
  ],
  'a pool that is quantised': [
    (g) => {
      const at = g.node.indexOf(find(g, 'pooled')) + 1;
      g.node.splice(
        at,
        0,
        node('QuantizeLinear', ['pooled', 'tested_scale', 'positive_zero_point'], 'pooled_q'),
        node('DequantizeLinear', ['pooled_q', 'tested_scale', 'positive_zero_point'], 'pooled_dq'),
      );
      find(g, 'features').input[0] = 'pooled_dq';
    },
    /globalAveragePool pooled: its output is quantised/,
  ],
  'a value that is read as a float under another name': [
    (g) => {
      g.node.splice(2, 0, node('Identity', ['before'], 'same'));
      find(g, 'before_quantized').input[0] = 'same';
      readAsWell(g, 'before');
    },
    /same is read as a float as well/,
  ],
  'a clip that not all readers see': [
    (g) => {
      const [, ...parameters] = find(g, 'before_dequantized').input;
      readAsWell(g, 'unclipped');
      const unclipped = node('DequantizeLinear', ['before_quantized', ...parameters], 'unclipped');
      g.node.splice(g.node.indexOf(find(g, 'before_clipped')), 0, unclipped);
    },
    /Clip.*before_quantized is read without it as well/,
  ],
  'activations of 16 bits': [
    (g) => {
      const quantise = find(g, 'before_quantized');
      quantise.input.pop();
      quantise.attribute.push(attribute('output_dtype', DataType.INT16));
    },
    /QuantizeLinear.*to INT16/,
  ],
  'weights in blocks': [
    (g) => {
      find(g, 'conv.weight_dequantized').attribute.push(attribute('block_size', 16));
    },
    /DequantizeLinear.*in blocks/,
  ],
  'a clip of floats': [
    (g) => {
      g.node.splice(1, 0, node('Clip', ['image', '', 'six'], 'image_clipped'));
      g.initializer.push(float32Tensor('six', [], Float32Array.of(6)));
      find(g, 'before').input[0] = 'image_clipped';
    },
    /Clip.*only of what a QuantizeLinear made/,
  ],
};

const plan = (model: SimdModel) => planNetwork(openNetwork(model), { threads: 1, layout: 'NCHW' });

test('simd in int8, takes the model that the next tests change', () => {
  expect(plan(changed(() => {})).plan.format).toBe('int8');
});

for (const [what, [change, message]] of Object.entries(refused))
  test(`simd in int8, declines ${what} and says so`, () => {
    expect(() => plan(changed(change))).toThrow(message);
  });

test('simd in int8, declines an output of bytes and says so', () => {
  const model = qdqModel({
    ...graph,
    ...{ height: 1, width: 1 },
    nodes: [
      node('Conv', ['input', 'image.weight'], 'image'),
      node('Relu', ['image'], 'before'),
      ...nodes,
      node('Flatten', ['tested'], 'features'),
    ],
    initializers: [
      float32Tensor('image.weight', [16, 3, 1, 1], seeded(48, 1)),
      ...graph.initializers,
    ],
    scales: { before: 1, tested: 1 },
  });
  expect(() => plan(model)).toThrow("the graph's output tested is quantised");
});

test('simd in int8, declines a max pool whose output is cut off where its input is not', () => {
  const pool = node('MaxPool', ['conv'], 'tested', { kernel_shape: [2, 2] });
  const model = (zeroOfPool: string): SimdModel =>
    changed(
      (g) => {
        const zero = g.initializer.find(({ name }) => name === 'signed_zero_point')!;
        Object.assign(zero, { dataType: DataType.INT8, rawData: new Uint8Array(1) });
        for (const made of ['tested_quantized', 'tested_dequantized'])
          find(g, made).input[2] = zeroOfPool;
        const at = g.node.indexOf(find(g, 'tested_dequantized'));
        g.node.splice(at, 0, node('Clip', ['tested_quantized', '', 'largest_positive'], 'clipped'));
        find(g, 'tested_dequantized').input[0] = 'clipped';
      },
      { ...graph, nodes: [nodes[0]!, pool], scales: { conv: 1 } },
    );
  expect(plan(model('signed_zero_point')).plan.format).toBe('int8');
  expect(() => plan(model('positive_zero_point'))).toThrow(
    'maxPool tested: its output is 0..127, its input -128..127',
  );
});

const floatGraph = (extra: ReturnType<typeof node>[], last: string) =>
  readGraph(
    modelBytes(
      graphOf(
        { height: 8, width: 8 },
        {
          node: [
            node('Conv', ['input', 'image.weight'], 'image'),
            node('Relu', ['image'], 'before'),
            ...extra,
            node('GlobalAveragePool', [last], 'pooled'),
            node('Flatten', ['pooled'], 'features'),
          ],
          initializer: ['image.weight', 'conv.weight', 'gamma'].map((name) =>
            shapeOnly(name, [16, name === 'image.weight' ? 3 : 16, 1, 1]),
          ),
        },
      ),
    ),
    'test',
  );

test('planning to quantise, names the operator that cannot be', () => {
  const attempt = (...extra: ReturnType<typeof node>[]) =>
    planQuantisation(floatGraph(extra, extra.at(-1)!.output[0]!));
  const conv = node('Conv', ['before', 'conv.weight'], 'conv');
  expect(() => attempt(node('Sigmoid', ['before'], 'odd'))).toThrow(
    'Sigmoid odd cannot be quantised',
  );
  expect(() =>
    attempt(conv, node('BatchNormalization', ['conv', 'gamma', 'gamma', 'gamma', 'gamma'], 'odd')),
  ).toThrow('fold it into its convolution');
  expect(() => attempt(conv, node('Conv', ['conv', 'conv.weight'], 'second'))).toThrow(
    'its input may be negative',
  );
  expect(() => attempt(node('MaxPool', ['input'], 'odd'))).toThrow('it reads input, which is not');
  expect(() => attempt(node('Relu', ['before'], 'same'))).toThrow('no convolution to quantise');
});

test('a model that is none, is an error that names the file', () => {
  expect(() => readGraph(Uint8Array.of(1, 2, 3), 'weights.bin')).toThrow(
    'weights.bin: not an ONNX model',
  );
  expect(() => readGraph(new Uint8Array(0), 'empty.onnx')).toThrow('empty.onnx');
});
