/** Scales, weights and biases for a way of finding thresholds; the same graph, quantised with them. */
import type { ModelProto } from '../../src/gen/onnx/onnx_pb.ts';
import { correctBias } from './correct-bias.ts';
import { dimensions, floatConstant, type Graph } from './graph.ts';
import type { QuantisationPlan, QuantisedConv } from './plan.ts';
import type { Statistics } from './statistics.ts';
import { findThreshold, type Method } from './threshold.ts';
import { quantiseWeights, type WeightShape } from './weights.ts';
import { type ConvParameters, writeQdq } from './write-qdq.ts';

/** An activation has 127 steps on each side of 0. */
const steps = 127;
/** Most of the 32 bits of an accumulator that a bias may take; the products of the largest layers need 27 bits. */
const largestBias = 2 ** 30;

export interface QuantisedGraph {
  readonly model: ModelProto;
  /** Output channels of quantised convolutions, and those whose scale grew for the 16-bit sums. */
  readonly channels: number;
  readonly widened: number;
}

export function quantiseGraph(
  graph: Graph,
  plan: QuantisationPlan,
  statistics: ReadonlyMap<string, Statistics>,
  method: Method,
): QuantisedGraph {
  const scales = new Map(
    plan.activations.map((activation) => {
      const { histogram } = statistics.get(activation.name)!;
      return [activation, Math.fround(findThreshold(histogram, method, steps) / steps)];
    }),
  );
  const convs = new Map(
    plan.convs.map((conv) => {
      const { means } = statistics.get(conv.input)!;
      return [conv, quantiseConv(graph, conv, scales.get(conv.reads)!, means)];
    }),
  );
  const weights = [...convs.values()].map((conv) => conv.weights);
  return {
    model: writeQdq(graph, plan, { scales, convs }),
    channels: weights.reduce((sum, { scales: { length } }) => sum + length, 0),
    widened: weights.reduce((sum, { widened }) => sum + widened, 0),
  };
}

function quantiseConv(
  graph: Graph,
  conv: QuantisedConv,
  inputScale: number,
  means: Float64Array,
): ConvParameters {
  const weights = floatConstant(graph, conv.weights);
  const [outputs = 0, inputs = 0, rows = 0, columns = 0] = dimensions(
    graph.constants.get(conv.weights)!,
  );
  const shape: WeightShape = { outputs, inputs, taps: rows * columns };
  const bias = conv.bias ? floatConstant(graph, conv.bias) : new Float32Array(outputs);
  const leastScales = bias.map((value) => Math.abs(value) / (inputScale * largestBias));
  const quantised = quantiseWeights(weights, shape, leastScales);
  return { weights: quantised, bias: correctBias(bias, weights, quantised, shape, means) };
}
