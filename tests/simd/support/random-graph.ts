/** Random graphs of the operators that simd knows, with whatever windows, shapes and ends they come. */
import { create } from '@bufbuild/protobuf';
import { type AttributeValue, attribute } from '../../../model/onnx/build.ts';
import { createRandom } from '../../../model/random.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { seeded } from './layer-models.ts';
import { float32Tensor, graphOf, modelBytes, node, writeModel } from './models.ts';

interface Map {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface RandomGraph {
  readonly model: SimdModel;
  /** Operators, for the message. */
  readonly operators: string;
}

/** @param seed - different graphs for different seeds */
export function randomGraph(seed: number): RandomGraph {
  const random = createRandom(seed);
  const below = (end: number): number => random.uint32() % end;
  const between = (least: number, most: number): number => least + below(most - least + 1);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const perhaps = (share: number): boolean => random.uint32() / 2 ** 32 < share;
  const nodes: NodeProto[] = [];
  const initializer: TensorProto[] = [];
  const values = (name: string, dims: number[], magnitude: number, shift = 0): string => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const floats = seeded(count, random.uint32() % 1e6, magnitude).map((x) => x + shift);
    initializer.push(float32Tensor(name, dims, floats));
    return name;
  };
  const add = (opType: string, inputs: string[], attributes: AttributeProto[] = []): string => {
    const made = node(opType, inputs, `v${nodes.length}`);
    made.attribute.push(...attributes);
    nodes.push(made);
    return made.output[0]!;
  };

  /** A window's attributes and what it leaves of a side; undefined when that is nothing. */
  function window(map: Map, kernel: [number, number], pool: boolean) {
    const strides = [pick([1, 1, 1, 2, 3]), pick([1, 1, 1, 2, 3])];
    const mode = pick(['pads', 'pads', 'pads', 'none', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
    const ceil = pool && perhaps(0.4);
    const sides = [map.height, map.width];
    const same = mode.startsWith('SAME');
    // A stride beyond the kernel leaves nothing to pad, which onnxruntime takes for negative padding.
    if (same && strides.some((stride, i) => stride > kernel[i]!)) return undefined;
    const most = (i: number): number => (pool ? kernel[i]! - 1 : 3);
    const pads = [0, 1, 0, 1].map((i) => (mode === 'pads' ? between(0, most(i)) : 0));
    const sizes = sides.map((length, i) => {
      if (same) return Math.ceil(length / strides[i]!);
      const [before, after] = [pads[i]!, pads[i + 2]!];
      const steps = (length + before + after - kernel[i]!) / strides[i]!;
      if (!ceil) return Math.floor(steps) + 1;
      const outputs = Math.ceil(steps) + 1;
      return (outputs - 1) * strides[i]! >= length + before ? outputs - 1 : outputs;
    });
    if (Math.min(...sizes) < 1) return undefined;
    const numbers: Record<string, AttributeValue> = { kernel_shape: kernel, strides };
    if (mode === 'pads') numbers.pads = pads;
    if (ceil) numbers.ceil_mode = 1;
    const attributes = Object.entries(numbers).map(([name, value]) => attribute(name, value));
    if (same || mode === 'VALID') attributes.push(text('auto_pad', mode));
    return { attributes, height: sizes[0]!, width: sizes[1]! };
  }

  function conv(map: Map): Map | undefined {
    const kernel: [number, number] = perhaps(0.6) ? square() : [between(1, 5), between(1, 5)];
    const cut = window(map, kernel, false);
    if (!cut) return undefined;
    const channels = pick([1, 3, 5, 8, 15, 16, 17, 20, 32, 33, 48]);
    const name = `c${nodes.length}`;
    const magnitude = 1 / Math.sqrt(map.channels * kernel[0] * kernel[1]);
    const inputs = [map.name, values(`${name}.w`, [channels, map.channels, ...kernel], magnitude)];
    if (perhaps(0.5)) inputs.push(values(`${name}.b`, [channels], 1));
    const { height, width } = cut;
    return { name: add('Conv', inputs, cut.attributes), channels, height, width };
  }
  function square(): [number, number] {
    const side = pick([1, 1, 3, 3, 3, 5]);
    return [side, side];
  }

  /** In place of the map: a convolution that others read as well cannot take it. */
  function normalised(map: Map): Map {
    maps.pop();
    const name = `b${nodes.length}`;
    const { channels } = map;
    const constants = [1.5, 0, 0, 1.2].map((shift, i) =>
      values(`${name}.${i}`, [channels], 1, shift),
    );
    return { ...map, name: add('BatchNormalization', [map.name, ...constants]) };
  }

  function pooled(map: Map): Map | undefined {
    const cut = window(map, [between(1, 5), between(1, 5)], true);
    if (!cut) return undefined;
    const { attributes, height, width } = cut;
    return { ...map, name: add('MaxPool', [map.name], attributes), height, width };
  }

  const { height, width } = { height: between(3, 31), width: between(3, 31) };
  const input: Map = { name: 'input', channels: 3, height, width };
  let first: Map | undefined;
  while (!first) first = conv(input);
  const maps = [first];
  for (let left = between(1, 9); left > 0; left--) {
    const map = perhaps(0.7) ? maps.at(-1)! : pick(maps);
    const alike = maps.filter(
      (m) => m.channels === map.channels && m.height === map.height && m.width === map.width,
    );
    const fresh = map === maps.at(-1) && nodes.at(-1)!.opType === 'Conv';
    const makers: (() => Map | undefined)[] = [
      () => conv(map),
      () => conv(map),
      () => (fresh ? normalised(map) : conv(map)),
      () => pooled(map),
      () => ({ ...map, name: add('Relu', [map.name]) }),
      () => ({ ...map, name: add('Add', [map.name, pick(alike).name]) }),
      () => ({ ...map, name: add('Add', [pick(alike).name, map.name]) }),
    ];
    const made = pick(makers)();
    if (made) maps.push(made);
  }

  // What is left over then is dead, or another output of the graph.
  const last = perhaps(0.7) ? maps.at(-1)! : pick(maps);
  const outputs = perhaps(0.3) ? [pick(maps).name] : [];
  let end = add('GlobalAveragePool', [last.name]);
  const shapes = [
    [0, -1],
    [1, last.channels],
    [0, -1, 1, 1],
  ];
  if (perhaps(0.3)) {
    const reader = conv({ ...last, name: end, height: 1, width: 1 });
    if (reader && perhaps(0.5)) outputs.push(reader.name);
  }
  const flat = pick(['none', 'Flatten', 'Reshape']);
  if (flat === 'Flatten') end = add('Flatten', [end], [attribute('axis', 1)]);
  if (flat === 'Reshape') {
    initializer.push(integers('shape', pick(shapes)));
    end = add('Reshape', [end, 'shape']);
  }
  if (perhaps(0.3)) end = add('LpNormalization', [end], [attribute('axis', 1), attribute('p', 2)]);
  nodes.push(node('Identity', [end], 'features'));
  const graph = graphOf({ height, width }, { node: nodes, initializer });
  // Their shapes are onnxruntime's to find out.
  graph.output = ['features', ...outputs].map((name) => create(ValueInfoProtoSchema, { name }));
  return {
    model: writeModel(modelBytes(graph), { height, width }, last.channels),
    operators: nodes.map(({ opType }) => opType).join(' '),
  };
}

const text = (name: string, value: string): AttributeProto =>
  create(AttributeProtoSchema, {
    name,
    type: AttributeType.STRING,
    s: new TextEncoder().encode(value),
  });

const integers = (name: string, numbers: readonly number[]): TensorProto =>
  create(TensorProtoSchema, {
    ...{ name, dims: [BigInt(numbers.length)], dataType: TensorProto_DataType.INT64 },
    rawData: new Uint8Array(BigInt64Array.from(numbers.map(BigInt)).buffer),
  });
