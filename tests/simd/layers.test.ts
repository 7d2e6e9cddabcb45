import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { openInProcess } from './support/in-process.ts';
import { modelAround, seeded } from './support/layer-models.ts';
import { node } from './support/models.ts';

const surroundings = {
  channels: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 17 }),
  width: fc.integer({ min: 1, max: 17 }),
  seed: fc.nat(1e6),
};
const image = ({ height, width, seed }: { height: number; width: number; seed: number }) =>
  seeded(3 * height * width, seed + 1, 100);

const extent = fc.integer({ min: 1, max: 5 });
const stride = fc.integer({ min: 1, max: 4 });
const pool = fc
  .record({
    ...surroundings,
    kernel: fc.tuple(extent, extent),
    strides: fc.tuple(stride, stride),
    pads: fc.tuple(...Array.from({ length: 4 }, () => fc.nat(2))),
    ceil: fc.boolean(),
  })
  .filter(({ height, width, kernel: [h, w], pads: [top = 0, left = 0, bottom = 0, right = 0] }) => {
    const fits = h <= height + top + bottom && w <= width + left + right;
    return fits && Math.max(top, bottom) < h && Math.max(left, right) < w;
  });

test('max pool, is the largest value in the window, negative ones too', () => {
  fc.assert(
    fc.property(pool, (p) => {
      const { kernel, strides, pads, ceil } = p;
      const attributes = { kernel_shape: kernel, strides, pads, ceil_mode: ceil ? 1 : 0 };
      const nodes = [node('MaxPool', ['before'], 'tested', attributes)];
      const { input, output } = openInProcess(modelAround(p, nodes, [], p.channels)).runLayer(
        image(p),
        'tested',
      );
      const [top = 0, left = 0, bottom = 0, right = 0] = pads;
      const count = (length: number, k: number, s: number, before: number, after: number) => {
        const steps = (length + before + after - k) / s;
        const outputs = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
        return ceil && (outputs - 1) * s >= length + before ? outputs - 1 : outputs;
      };
      expect(output.height).toBe(count(p.height, kernel[0], strides[0], top, bottom));
      expect(output.width).toBe(count(p.width, kernel[1], strides[1], left, right));
      for (let c = 0; c < p.channels; c++)
        for (let y = 0; y < output.height; y++)
          for (let x = 0; x < output.width; x++) {
            let largest = Number.NEGATIVE_INFINITY;
            for (let ky = 0; ky < kernel[0]; ky++)
              for (let kx = 0; kx < kernel[1]; kx++) {
                const [iy, ix] = [y * strides[0] + ky - top, x * strides[1] + kx - left];
                if (iy >= 0 && ix >= 0 && iy < p.height && ix < p.width)
                  largest = Math.max(largest, input.values[(c * p.height + iy) * p.width + ix]!);
              }
            expect(output.values[(c * output.height + y) * output.width + x]).toBe(largest);
          }
    }),
    { numRuns: 60 },
  );
}, 180_000);

test('global average pool, is the mean of the map', () => {
  fc.assert(
    fc.property(fc.record(surroundings), (s) => {
      const nodes = [node('Relu', ['before'], 'tested')];
      const { input, output } = openInProcess(modelAround(s, nodes, [], s.channels)).runLayer(
        image(s),
        'pooled',
      );
      const size = s.height * s.width;
      for (let c = 0; c < s.channels; c++) {
        const map = input.values.subarray(c * size, (c + 1) * size);
        const mean = map.reduce((sum, x) => sum + x, 0) / size;
        expect(Math.abs(output.values[c]! - mean)).toBeLessThanOrEqual(mean * 1e-5);
      }
    }),
    { numRuns: 30 },
  );
}, 180_000);

test('a ReLU that no convolution can take, cuts at zero', () => {
  const s = { channels: 5, height: 6, width: 7, seed: 3 };
  const nodes = [node('Relu', ['before'], 'cut'), node('Add', ['cut', 'before'], 'tested')];
  const opened = openInProcess(modelAround(s, nodes, [], s.channels));
  expect(opened.plan.steps.map(({ op }) => op)).toContain('relu');
  const { input, output } = opened.runLayer(image(s), 'cut');
  expect(output.values).toEqual(input.values.map((x) => Math.max(0, x)));
  expect(Math.min(...input.values)).toBeLessThan(0);
});

for (const relu of [false, true])
  test(`an addition that no convolution can take, adds${relu ? ' and cuts at zero' : ''}`, () => {
    const s = { channels: 18, height: 5, width: 7, seed: 4 };
    const pooled = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const nodes = [
      node('MaxPool', ['before'], 'a', pooled),
      node('Add', ['a', 'before'], 'sum'),
      node(relu ? 'Relu' : 'Identity', ['sum'], 'tested'),
    ];
    const opened = openInProcess(modelAround(s, nodes, [], s.channels));
    const { input, residual, output } = opened.runLayer(image(s), 'sum');
    const sums = input.values.map((x, i) => x + residual!.values[i]!);
    expect(output.values).toEqual(relu ? sums.map((x) => Math.max(0, x)) : sums);
  });
