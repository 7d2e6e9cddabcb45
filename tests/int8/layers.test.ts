import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Map3, openInProcess } from '../simd/support/in-process.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { float32Tensor, node } from '../simd/support/models.ts';
import { saturate } from './support/naive.ts';
import { imageFor, modelAround, qdqModel, shapeOnly } from './support/qdq-models.ts';

const f32 = Math.fround;
const around = {
  channels: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 3, max: 13 }),
  width: fc.integer({ min: 3, max: 13 }),
  saturation: fc.constantFrom(0.5, 1, 4, 1000),
  seed: fc.nat(1e6),
};
const extent = fc.integer({ min: 1, max: 3 });
const identity = (channels: number) => ({
  values: Int8Array.from({ length: channels * channels }, (_, i) =>
    i % (channels + 1) === 0 ? 100 : 0,
  ),
  scales: new Float32Array(channels).fill(0.01),
  bias: new Int32Array(channels),
});

test('max pool of bytes, is the largest in each window', () => {
  fc.assert(
    fc.property(
      fc.record({
        ...around,
        kernel: fc.tuple(extent, extent),
        strides: fc.tuple(extent, extent),
        pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
        ceil: fc.nat(1),
      }),
      ({ kernel, strides, pads, ceil, ...where }) => {
        const { channels } = where;
        const [top, left, bottom, right] = pads;
        fc.pre(Math.max(top, bottom) < kernel[0] && Math.max(left, right) < kernel[1]);
        const model = modelAround(where, {
          nodes: [
            node('MaxPool', ['before'], 'pooled_map', {
              ...{ kernel_shape: kernel, strides, pads, ceil_mode: ceil },
            }),
            node('Conv', ['pooled_map', 'conv.weight'], 'conv'),
            node('Relu', ['conv'], 'tested'),
          ],
          initializers: [shapeOnly('conv.weight', [channels, channels, 1, 1])],
          dimension: channels,
          scales: { tested: 1 },
          convs: { conv: identity(channels) },
        });
        for (const relaxed of [true, false]) {
          const { input, output } = openInProcess(model, relaxed).runLayer(
            imageFor(where),
            'pooled_map',
          );
          const expected = output.values.map((_, i) => {
            const c = Math.floor(i / (output.height * output.width));
            const y = (Math.floor(i / output.width) % output.height) * strides[0] - top;
            return largestIn(input, c, y, (i % output.width) * strides[1] - left, kernel);
          });
          expect(output.values).toEqual(expected);
        }
      },
    ),
    { numRuns: 20 },
  );
});

function largestIn(
  map: Map3,
  c: number,
  top: number,
  left: number,
  [rows, columns]: readonly [number, number],
): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let y = Math.max(0, top); y < Math.min(map.height, top + rows); y++)
    for (let x = Math.max(0, left); x < Math.min(map.width, left + columns); x++)
      largest = Math.max(largest, map.values[(c * map.height + y) * map.width + x]!);
  return largest;
}

test('global average pool of bytes, is the exact sum times the scale over the pixels', () => {
  let negative = false;
  fc.assert(
    fc.property(fc.record({ ...around, signed: fc.boolean() }), ({ signed, ...where }) => {
      const { channels, height, width } = where;
      const scale = f32(0.37);
      const model = modelAround(where, {
        nodes: [
          node('Conv', ['before', 'conv.weight'], signed ? 'tested' : 'conv'),
          ...(signed ? [] : [node('Relu', ['conv'], 'tested')]),
        ],
        initializers: [shapeOnly('conv.weight', [channels, channels, 1, 1])],
        dimension: channels,
        scales: { tested: scale },
        convs: {
          [signed ? 'tested' : 'conv']: {
            ...identity(channels),
            values: Int8Array.from(seeded(channels * channels, where.seed, 127)),
          },
        },
      });
      for (const relaxed of [true, false]) {
        const { input, output } = openInProcess(model, relaxed).runLayer(imageFor(where), 'pooled');
        const area = height * width;
        const expected = output.values.map((_, c) => {
          const sum = input.values
            .subarray(c * area, (c + 1) * area)
            .reduce((total, value) => total + value, 0);
          return f32(f32(sum) * f32(scale / area));
        });
        expect(output.values).toEqual(expected);
        negative ||= input.values.some((value) => value < 0);
      }
    }),
    { numRuns: 15 },
  );
  expect(negative).toBe(true);
});

test('an addition that no convolution can take, is rounded once', () => {
  fc.assert(
    fc.property(fc.record({ ...around, relu: fc.boolean() }), ({ relu, ...where }) => {
      const { channels } = where;
      const [scaleA, scaleB, scaleOut] = [f32(0.8), f32(1.3), f32(1.1)];
      const weights = (seed: number) => ({
        ...identity(channels),
        values: Int8Array.from(seeded(channels * channels, where.seed + seed, 127)),
      });
      const model = modelAround(where, {
        nodes: [
          node('Conv', ['before', 'a.weight'], 'a'),
          node('Relu', ['a'], 'a_relu'),
          node('Conv', ['before', 'b.weight'], 'b'),
          node('Relu', ['b'], 'b_relu'),
          node('Add', ['a_relu', 'b_relu'], relu ? 'sum' : 'tested'),
          ...(relu ? [node('Relu', ['sum'], 'tested')] : []),
        ],
        initializers: ['a.weight', 'b.weight'].map((name) =>
          shapeOnly(name, [channels, channels, 1, 1]),
        ),
        dimension: channels,
        scales: { a_relu: scaleA, b_relu: scaleB, tested: scaleOut },
        convs: { a: weights(1), b: weights(2) },
      });
      for (const relaxed of [true, false]) {
        const { input, residual, output } = openInProcess(model, relaxed).runLayer(
          imageFor(where),
          relu ? 'sum' : 'tested',
        );
        const expected = output.values.map((_, i) => {
          const a = f32(input.values[i]! * f32(scaleA / scaleOut));
          const b = f32(residual!.values[i]! * f32(scaleB / scaleOut));
          return saturate(f32(a + b), relu ? 0 : -128);
        });
        expect(output.values).toEqual(expected);
      }
    }),
    { numRuns: 15 },
  );
});

test('the convolution of the image, is that of float32 divided by the scale and rounded', () => {
  fc.assert(
    fc.property(
      fc.record({
        ...around,
        kernel: fc.constantFrom(1, 3, 7),
        stride: fc.integer({ min: 1, max: 2 }),
        pad: fc.integer({ min: 0, max: 3 }),
      }),
      ({ kernel, stride, pad, saturation, ...where }) => {
        const { channels, height, width, seed } = where;
        fc.pre(height + 2 * pad >= kernel && width + 2 * pad >= kernel);
        const values = seeded(channels * 3 * kernel * kernel, seed);
        const scale = f32((200 * kernel) / 127 / saturation);
        const model = modelImage(where, { kernel, stride, pad, values, scale });
        const image = imageFor(where);
        const runs = [true, false].map((relaxed) =>
          openInProcess(model, relaxed).runLayer(image, 'image'),
        );
        expect(runs[1]!.output).toEqual(runs[0]!.output);
        const { input, output } = runs[0]!;
        for (let i = 0; i < channels * output.height * output.width; i++) {
          const c = Math.floor(i / (output.height * output.width));
          const y = (Math.floor(i / output.width) % output.height) * stride - pad;
          const x = (i % output.width) * stride - pad;
          const exact = windowSum(input, values, { c, y, x, kernel }) / scale;
          const wanted = Math.max(0, Math.min(127, exact));
          // float32 sums may fall on the other side of a half.
          expect(Math.abs(output.values[i]! - wanted)).toBeLessThan(0.501);
        }
      },
    ),
    { numRuns: 15 },
  );
});

interface ImageConv {
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly values: Float32Array;
  readonly scale: number;
}

function modelImage(
  { channels, height, width }: { channels: number; height: number; width: number },
  { kernel, stride, pad, values, scale }: ImageConv,
) {
  return qdqModel({
    ...{ height, width, dimension: channels },
    nodes: [
      node('Conv', ['input', 'image.weight'], 'image', {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
      }),
      node('Relu', ['image'], 'before'),
      node('Conv', ['before', 'conv.weight'], 'conv'),
      node('Relu', ['conv'], 'tested'),
      node('GlobalAveragePool', ['tested'], 'pooled'),
      node('Flatten', ['pooled'], 'features'),
    ],
    initializers: [
      float32Tensor('image.weight', [channels, 3, kernel, kernel], values),
      shapeOnly('conv.weight', [channels, channels, 1, 1]),
    ],
    scales: { before: scale, tested: 1 },
    convs: { conv: identity(channels) },
  });
}

/** Of an image of three channels, in float64. */
function windowSum(
  map: Map3,
  values: Float32Array,
  at: { c: number; y: number; x: number; kernel: number },
): number {
  const { kernel } = at;
  let sum = 0;
  for (let input = 0; input < 3; input++)
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const [y, x] = [at.y + ky, at.x + kx];
        if (y < 0 || x < 0 || y >= map.height || x >= map.width) continue;
        const weight = values[((at.c * 3 + input) * kernel + ky) * kernel + kx]!;
        sum += weight * map.values[(input * map.height + y) * map.width + x]!;
      }
  return sum;
}
