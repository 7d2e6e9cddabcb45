import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Step } from '../../src/inference/simd/plan/plan.ts';
import { type LayerRun, openInProcess } from '../simd/support/in-process.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { node } from '../simd/support/models.ts';
import {
  finish,
  type NaiveConv,
  scaledSum,
  sumAt,
  winogradInputs,
  winogradOutputs,
  winogradWeights,
} from './support/naive.ts';
import { type IntegerWeights, imageFor, modelAround, shapeOnly } from './support/qdq-models.ts';

interface Conv {
  channels: number;
  outChannels: number;
  height: number;
  width: number;
  kernel: [number, number];
  strides: [number, number];
  pads: [number, number, number, number];
  relu: boolean;
  residual: boolean;
  /** Of the weights: small enough for every 16-bit sum, anything, or as large as can be. */
  weights: 'small' | 'any' | 'extreme';
  saturation: number;
  seed: number;
}

const shared = {
  channels: fc.integer({ min: 1, max: 40 }),
  outChannels: fc.integer({ min: 1, max: 40 }),
  relu: fc.boolean(),
  residual: fc.boolean(),
  weights: fc.constantFrom('small' as const, 'any' as const, 'extreme' as const),
  saturation: fc.constantFrom(0.5, 1, 4, 1000),
  seed: fc.nat(1e6),
};
const side = fc.integer({ min: 1, max: 7 });
const pad = fc.integer({ min: 0, max: 3 });
const stride = fc.integer({ min: 1, max: 3 });
const anyConv: fc.Arbitrary<Conv> = fc
  .record({
    ...shared,
    height: fc.integer({ min: 1, max: 12 }),
    width: fc.integer({ min: 1, max: 12 }),
    kernel: fc.tuple(side, side),
    strides: fc.tuple(stride, stride),
    pads: fc.tuple(pad, pad, pad, pad),
  })
  .filter(({ height, width, kernel: [h, w], pads: [top, left, bottom, right] }) => {
    return h <= height + top + bottom && w <= width + left + right;
  });
/** Maps so large that Winograd takes them. */
const winogradConv: fc.Arbitrary<Conv> = fc.record({
  ...shared,
  height: fc.integer({ min: 15, max: 19 }),
  width: fc.integer({ min: 16, max: 21 }),
  kernel: fc.constant<[number, number]>([3, 3]),
  strides: fc.constant<[number, number]>([1, 1]),
  pads: fc.tuple(pad, pad, pad, pad),
});

function makeWeights(conv: Conv, seed: number): IntegerWeights {
  const size = conv.channels * conv.kernel[0] * conv.kernel[1];
  const count = size * conv.outChannels;
  const values = Int8Array.from(seeded(count, seed, 127), (value, i) => {
    if (conv.weights === 'small') return Math.trunc(value / 2);
    // Whole channels of the largest weights, of one sign or of both.
    if (conv.weights === 'extreme') {
      const channel = Math.floor(i / size) % 3;
      return channel === 0 ? 127 : channel === 1 ? -127 : value < 0 ? -127 : 127;
    }
    return Math.round(value);
  });
  return {
    values,
    scales: seeded(conv.outChannels, seed + 1, 0.4).map((x) => x + 0.5),
    bias: Int32Array.from(seeded(conv.outChannels, seed + 2, 127 * 127 * 4)),
  };
}

interface Run {
  readonly run: LayerRun;
  readonly plain: LayerRun;
  readonly steps: readonly Step[];
  readonly naive: NaiveConv;
}

function runConv(conv: Conv): Run {
  const { channels, outChannels, kernel, strides, pads, seed, relu, residual } = conv;
  const attributes = { kernel_shape: kernel, strides, pads };
  const weights = makeWeights(conv, seed + 1);
  const other = makeWeights(conv, seed + 11);
  const dims = [outChannels, channels, ...kernel];
  const made = relu ? 'tested' : 'made';
  const nodes = [
    ...(residual ? [node('Conv', ['before', 'other.weight'], 'other', attributes)] : []),
    node('Conv', ['before', 'conv.weight'], 'conv', attributes),
    ...(residual ? [node('Add', ['other', 'conv'], 'sum')] : []),
    node(relu ? 'Relu' : 'Identity', [residual ? 'sum' : 'conv'], made),
    ...(relu ? [] : [node('Identity', [made], 'tested')]),
  ].filter(({ opType }) => opType !== 'Identity');
  // Without a ReLU the last node makes the tensor under test itself.
  if (!relu) nodes.at(-1)!.output[0] = 'tested';
  const size = channels * kernel[0] * kernel[1];
  const inputScale = Math.fround(200 / 127 / conv.saturation);
  // The sums of some channels go beyond what is stored, those of others do not.
  const outputScale = Math.fround(inputScale * 60 * Math.sqrt(size));
  const otherScale = Math.fround(outputScale * 0.7);
  const model = modelAround(conv, {
    nodes,
    initializers: [
      shapeOnly('conv.weight', dims),
      ...(residual ? [shapeOnly('other.weight', dims)] : []),
    ],
    dimension: outChannels,
    scales: { tested: outputScale, other: otherScale, conv: outputScale },
    convs: { conv: weights, other },
  });
  const factors = Array.from(weights.scales, (scale) => (inputScale * scale) / outputScale);
  const [opened, plain] = [openInProcess(model), openInProcess(model, false)];
  const image = imageFor(conv);
  // A layer goes by the name of the convolution's output.
  const layer = relu || residual ? 'conv' : 'tested';
  return {
    run: opened.runLayer(image, layer),
    plain: plain.runLayer(image, layer),
    steps: opened.plan.steps.filter(({ name }) => name.split(' ')[0] === layer),
    naive: {
      weights: weights.values,
      bias: weights.bias,
      factors: Float32Array.from(factors),
      factors64: factors,
      residualScale: otherScale / outputScale,
      least: relu ? 0 : -128,
      kernel,
      strides,
      top: pads[0],
      left: pads[1],
    },
  };
}

/** Compares every output with the definition. */
function expectExact({ run, plain, naive }: Run, conv: Conv, expected: Expected): void {
  const { output } = run;
  const [top, left, bottom, right] = conv.pads;
  expect(output.height).toBe(
    Math.floor((conv.height + top + bottom - conv.kernel[0]) / conv.strides[0]) + 1,
  );
  expect(output.width).toBe(
    Math.floor((conv.width + left + right - conv.kernel[1]) / conv.strides[1]) + 1,
  );
  expect(run.residual !== undefined).toBe(conv.residual);
  for (const value of run.input.values)
    if (value < 0) throw new Error('the input under test is to be 0..127');
  const wanted = expected(run, naive, conv);
  expect(output.values).toEqual(wanted);
  expect(plain.output.values).toEqual(wanted);
}

/** The outputs as `[channels][height][width]`; those of channels that only pad are 0. */
type Expected = (run: LayerRun, naive: NaiveConv, conv: Conv) => Float32Array;

const direct: Expected = ({ input, output, residual }, naive, conv) =>
  output.values.map((_, i) => {
    const n = Math.floor(i / (output.height * output.width));
    if (n >= conv.outChannels) return 0;
    const y = Math.floor(i / output.width) % output.height;
    const sum = sumAt(naive, input, conv.channels, n, y, i % output.width);
    return finish(naive, scaledSum(sum, naive.factors[n]!), residual?.values[i]);
  });

const byWinograd: Expected = ({ input, output, residual }, naive, conv) => {
  const { height, width } = output;
  const expected = new Float32Array(output.values.length);
  for (let n = 0; n < conv.outChannels; n++) {
    const weights = winogradWeights(naive.weights, conv.channels, input.channels, n);
    const bias = Math.fround(naive.bias[n]! * naive.factors64[n]!);
    const worth = Math.fround(naive.factors64[n]! / 576);
    for (let y = 0; y < height; y += 4)
      for (let x = 0; x < width; x += 4) {
        const inputs = winogradInputs(input, conv.channels, y, x, naive.top, naive.left);
        const products = weights.map(({ rounded, power }, plane) => {
          const sum = inputs[plane]!.reduce((total, value, c) => total + value * rounded[c]!, 0);
          return scaledSum(sum, Math.fround(worth * power));
        });
        for (const [dy, row] of winogradOutputs(products).entries())
          for (const [dx, value] of row.entries()) {
            if (y + dy >= height || x + dx >= width) continue;
            const at = (n * height + y + dy) * width + x + dx;
            expected[at] = finish(naive, Math.fround(value + bias), residual?.values[at]);
          }
      }
  }
  return expected;
};

test('a convolution of bytes, equals its definition in every bit, with and without relaxed SIMD', () => {
  fc.assert(
    fc.property(anyConv, (conv) => {
      const run = runConv(conv);
      expect(run.steps.map(({ op }) => op)).toEqual(['int8Gemm']);
      expectExact(run, conv, direct);
    }),
    { numRuns: 70 },
  );
}, 180_000);

test('a convolution by Winograd in 16 bits, equals the same transform in every bit', () => {
  fc.assert(
    fc.property(winogradConv, (conv) => {
      const run = runConv(conv);
      expect(run.steps.length).toBe(3);
      expectExact(run, conv, byWinograd);
    }),
    { numRuns: 25 },
  );
}, 180_000);

test('a convolution by Winograd in 16 bits, is at most one step from the direct one', () => {
  fc.assert(
    fc.property(winogradConv, (conv) => {
      const { run, naive } = runConv(conv);
      const wanted = direct(run, naive, conv);
      const worst = run.output.values.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)),
        0,
      );
      expect(worst).toBeLessThanOrEqual(1);
    }),
    { numRuns: 25 },
  );
}, 180_000);
