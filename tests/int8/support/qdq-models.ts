/** Quantised models with weights and scales of the test's choosing. */
import { create, toBinary } from '@bufbuild/protobuf';
import { indexGraph } from '../../../model/quantize/graph.ts';
import { planQuantisation, type QuantisedConv } from '../../../model/quantize/plan.ts';
import { writeQdq } from '../../../model/quantize/write-qdq.ts';
import {
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from '../../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { seeded } from '../../simd/support/layer-models.ts';
import { float32Tensor, graphOf, node, writeModel } from '../../simd/support/models.ts';

export interface IntegerWeights {
  readonly values: Int8Array;
  readonly scales: Float32Array;
  /** In steps of input scale · weight scale. */
  readonly bias: Int32Array;
}

export interface QdqGraph {
  readonly height: number;
  readonly width: number;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly dimension: number;
  /** By the name of the activation's tensor. */
  readonly scales: Readonly<Record<string, number>>;
  /** By the name of the convolution. */
  readonly convs: Readonly<Record<string, IntegerWeights>>;
}

/** The float graph in QDQ form, as quantising would write it. */
export function qdqModel(graph: QdqGraph): SimdModel {
  const { height, width, nodes, initializers, dimension } = graph;
  const proto = graphOf({ height, width }, { node: [...nodes], initializer: [...initializers] });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: proto,
  });
  const indexed = indexGraph(model, 'test');
  const plan = planQuantisation(indexed);
  const scaleOf = (name: string): number => {
    const scale = graph.scales[name];
    if (scale === undefined) throw new Error(`no scale for ${name}`);
    return Math.fround(scale);
  };
  const parameters = (conv: QuantisedConv) => {
    const { values, scales, bias } = graph.convs[conv.node.name]!;
    const inputScale = scaleOf(conv.reads.name);
    return {
      weights: { values, scales, widened: 0 },
      bias: Float32Array.from(bias, (b, i) => b * Math.fround(inputScale * scales[i]!)),
    };
  };
  const written = writeQdq(indexed, plan, {
    scales: new Map(plan.activations.map((a) => [a, scaleOf(a.name)])),
    convs: new Map(plan.convs.map((conv) => [conv, parameters(conv)])),
  });
  return writeModel(toBinary(ModelProtoSchema, written), { height, width }, dimension);
}

/**
 * image → 1×1 convolution and ReLU, to activations `before` of 0..127 → `nodes`, which make `tested` → global average pool.
 * @param saturation - how much of `before` is 127: the image's values go up to so many times its range
 */
export function modelAround(
  around: { channels: number; height: number; width: number; seed: number; saturation: number },
  graph: Omit<QdqGraph, 'height' | 'width'>,
): SimdModel {
  const { channels, height, width, seed, saturation } = around;
  return qdqModel({
    ...graph,
    ...{ height, width },
    nodes: [
      node('Conv', ['input', 'image.weight'], 'image'),
      node('Relu', ['image'], 'before'),
      ...graph.nodes,
      node('GlobalAveragePool', ['tested'], 'pooled'),
      node('Flatten', ['pooled'], 'features'),
    ],
    initializers: [
      float32Tensor('image.weight', [channels, 3, 1, 1], seeded(3 * channels, seed)),
      ...graph.initializers,
    ],
    scales: { before: 200 / 127 / saturation, ...graph.scales },
  });
}

/** An image for {@link modelAround}. */
export const imageFor = (size: { height: number; width: number; seed: number }): Float32Array =>
  seeded(3 * size.height * size.width, size.seed + 99, 100);

/** A constant that only says how large a convolution is; its values come from elsewhere. */
export const shapeOnly = (name: string, dims: readonly number[]): TensorProto =>
  float32Tensor(name, dims, new Float32Array(dims.reduce((product, dim) => product * dim, 1)));
