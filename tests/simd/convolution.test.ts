import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type LayerRun, openInProcess } from './support/in-process.ts';
import { modelAround, seeded } from './support/layer-models.ts';
import { float32Tensor, node } from './support/models.ts';

interface Conv {
  channels: number;
  outChannels: number;
  height: number;
  width: number;
  kernel: [number, number];
  strides: [number, number];
  pads: [number, number, number, number];
  bias: boolean;
  relu: boolean;
  residual: boolean;
  batchNorm: boolean;
  /** Power of ten of the weights. */
  magnitude: number;
  seed: number;
}

const side = fc.integer({ min: 1, max: 9 });
const shared = {
  channels: fc.integer({ min: 1, max: 40 }),
  outChannels: fc.integer({ min: 1, max: 40 }),
  bias: fc.boolean(),
  relu: fc.boolean(),
  residual: fc.boolean(),
  batchNorm: fc.boolean(),
  magnitude: fc.integer({ min: -12, max: 12 }),
  seed: fc.nat(1e6),
};
const pad = fc.integer({ min: 0, max: 3 });
const stride = fc.integer({ min: 1, max: 3 });
const anyConv: fc.Arbitrary<Conv> = fc
  .record({
    ...shared,
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 13 }),
    kernel: fc.tuple(side, side),
    strides: fc.tuple(stride, stride),
    pads: fc.tuple(pad, pad, pad, pad),
  })
  .filter(({ height, width, kernel: [h, w], pads: [top, left, bottom, right] }) => {
    return h <= height + top + bottom && w <= width + left + right;
  })
  .filter((conv) => !isWinograds(conv));

/** 3×3 of stride 1 on a map that is large enough: see the other test. */
const isWinograds = (conv: Conv): boolean =>
  [...conv.kernel, ...conv.strides].join() === '3,3,1,1' && outputPixels(conv) >= 7 * 7;

function outputPixels({ height, width, pads: [top, left, bottom, right] }: Conv): number {
  return (height + top + bottom - 2) * (width + left + right - 2);
}

/** Maps of such sizes that Winograd takes them with tiles of 2×2, or of 4×4. */
const winogradConv = (tile: 2 | 4): fc.Arbitrary<Conv> => {
  const side = tile === 2 ? { min: 5, max: 15 } : { min: 12, max: 27 };
  return fc
    .record({
      ...shared,
      height: fc.integer(side),
      width: fc.integer(side),
      kernel: fc.constant<[number, number]>([3, 3]),
      strides: fc.constant<[number, number]>([1, 1]),
      pads: fc.tuple(pad, pad, pad, pad),
    })
    .filter((conv) => isWinograds(conv) && outputPixels(conv) >= 14 * 14 === (tile === 4));
};

function runConv(conv: Conv): {
  run: LayerRun;
  ops: string[];
  weights: Float32Array;
  bias: Float32Array;
  scale: Float32Array;
} {
  const { channels, outChannels, kernel, strides, pads, seed } = conv;
  const magnitude = 10 ** conv.magnitude;
  const count = channels * kernel[0] * kernel[1];
  const weights = seeded(outChannels * count, seed + 1, magnitude);
  const bias = conv.bias ? seeded(outChannels, seed + 2, magnitude) : new Float32Array(outChannels);
  const attributes = { kernel_shape: kernel, strides, pads };
  const initializers = [float32Tensor('weight', [outChannels, channels, ...kernel], weights)];
  const inputs = ['before', 'weight'];
  if (conv.bias) {
    initializers.push(float32Tensor('bias', [outChannels], bias));
    inputs.push('bias');
  }
  const nodes = [];
  let made = 'tested';
  const step = (opType: string, from: string[], more = {}): string => {
    made = `value${nodes.length}`;
    nodes.push(node(opType, from, made, more));
    return made;
  };
  if (conv.residual) {
    const values = seeded(outChannels * count, seed + 3, magnitude);
    initializers.push(float32Tensor('other.weight', [outChannels, channels, ...kernel], values));
    step('Conv', ['before', 'other.weight'], attributes);
  }
  const other = made;
  step('Conv', inputs, attributes);
  const name = made;
  let scale = new Float32Array(outChannels).fill(1);
  if (conv.batchNorm) {
    scale = seeded(outChannels, seed + 4).map((x) => x + 2);
    const zeros = new Float32Array(outChannels);
    const ones = new Float32Array(outChannels).fill(1);
    const constants = { gamma: scale, beta: zeros, mean: zeros, variance: ones };
    for (const [key, values] of Object.entries(constants))
      initializers.push(float32Tensor(key, [outChannels], values));
    step('BatchNormalization', [made, ...Object.keys(constants)], { epsilon: { float: 0 } });
  }
  if (conv.residual) step('Add', [other, made]);
  if (conv.relu) step('Relu', [made]);
  nodes.push(node('Identity', [made], 'tested'));
  const opened = openInProcess(modelAround(conv, nodes, initializers, outChannels));
  const image = seeded(3 * conv.height * conv.width, seed + 5, 100);
  const ops = opened.plan.steps
    .filter((s) => s.name.startsWith(name))
    .map((s) =>
      s.op === 'winogradProduct' ? `${s.op} ${s.winograd.tile}×${s.winograd.tile}` : s.op,
    );
  return { run: opened.runLayer(image, name), ops, weights, bias, scale };
}

/** Largest difference from the definition in float64, relative to the largest sum of the products' magnitudes. */
function worstError(conv: Conv): { error: number; ops: string[] } {
  const { run, ops, weights, bias, scale } = runConv(conv);
  const { input, output, residual } = run;
  const { channels, height, width } = conv;
  const [kh, kw] = conv.kernel;
  const [top, left, bottom, right] = conv.pads;
  const [strideY, strideX] = conv.strides;
  expect(output.height).toBe(Math.floor((height + top + bottom - kh) / strideY) + 1);
  expect(output.width).toBe(Math.floor((width + left + right - kw) / strideX) + 1);
  expect(residual !== undefined).toBe(conv.residual);
  let error = 0;
  let largest = 0;
  for (let n = 0, at = 0; n < output.channels; n++)
    for (let y = 0; y < output.height; y++)
      for (let x = 0; x < output.width; x++, at++) {
        if (n >= conv.outChannels) {
          expect(output.values[at]).toBe(0);
          continue;
        }
        let sum = 0;
        let magnitudes = 0;
        for (let c = 0; c < channels; c++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const [iy, ix] = [y * strideY + ky - top, x * strideX + kx - left];
              if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
              const w = weights[((n * channels + c) * kh + ky) * kw + kx]!;
              const product = input.values[(c * height + iy) * width + ix]! * w;
              sum += product;
              magnitudes += Math.abs(product);
            }
        const rest = bias[n]! * scale[n]!;
        const added = residual?.values[at] ?? 0;
        sum = sum * scale[n]! + rest + added;
        magnitudes = magnitudes * Math.abs(scale[n]!) + Math.abs(rest) + Math.abs(added);
        const expected = conv.relu ? Math.max(0, sum) : sum;
        error = Math.max(error, Math.abs(expected - output.values[at]!));
        largest = Math.max(largest, magnitudes);
      }
  return { error: largest === 0 ? error : error / largest, ops };
}

test('a convolution as a matrix product, equals its definition up to rounding', () => {
  fc.assert(
    fc.property(anyConv, (conv) => {
      const { error, ops } = worstError(conv);
      expect(ops).toEqual(['gemm']);
      expect(error).toBeLessThan(1e-6);
    }),
    { numRuns: 80 },
  );
}, 180_000);

for (const tile of [2, 4] as const)
  test(`a convolution by Winograd in tiles of ${tile}×${tile}, equals its definition up to rounding`, () => {
    fc.assert(
      fc.property(winogradConv(tile), (conv) => {
        const { error, ops } = worstError(conv);
        expect(ops).toEqual([
          ...['winogradInput', `winogradProduct ${tile}×${tile}`, 'winogradOutput'],
        ]);
        expect(error).toBeLessThan(tile === 2 ? 2e-6 : 1e-5);
      }),
      { numRuns: 40 },
    );
  }, 180_000);
