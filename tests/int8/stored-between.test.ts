import { expect, test } from 'bun:test';
import type { SimdModel } from '../../src/inference/simd/open-network.ts';
import { openInProcess } from '../simd/support/in-process.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { onOnnxruntime } from './support/quantised.ts';
import { createStoredGraph, type Storage, type StoredGraph } from './support/stored-graph.ts';

const size = { height: 6, width: 6 };
const image = seeded(3 * 36, 5, 100);
const channels = 16;

/** `make` returns what is pooled. */
function modelOf(make: (graph: StoredGraph) => string, width = channels): SimdModel {
  const graph = createStoredGraph();
  return graph.model(graph.add('GlobalAveragePool', [make(graph)]), size, width);
}
const imageConv = (g: StoredGraph, input = 'input') =>
  g.conv(input, [channels, 3, 1, 1], { seed: 1 });
/** Activations of 0..127, of ±58 · √3 before the ReLU. */
const before = (g: StoredGraph) => g.stored(g.add('Relu', [imageConv(g)]), 'positive', 2);
const conv = (g: StoredGraph, input: string, seed: number) =>
  g.conv(input, [channels, channels, 1, 1], { seed, scale: 0.01 });

const refused: Record<string, [(graph: StoredGraph) => string, RegExp]> = {
  'an image that is stored as bytes, before float32': [
    (g) => imageConv(g, g.stored('input', 'signed', 0.1)),
    /the graph's input input is quantised/,
  ],
  'a convolution that is stored before its ReLU': [
    (g) => g.stored(g.add('Relu', [g.stored(imageConv(g), 'signed', 0.1)]), 'positive', 1),
    /relu v\d+ in 8 bits/,
  ],
  'a convolution that is stored before its batch normalisation': [
    (g) => {
      const normalised = g.normalised(g.stored(imageConv(g), 'signed', 0.1), channels);
      return g.stored(g.add('Relu', [normalised]), 'positive', 1);
    },
    /batchNorm v\d+ in 8 bits/,
  ],
  'an addition that is stored before its ReLU': [
    (g) => {
      const from = before(g);
      const [a, b] = [5, 6].map((seed) => g.stored(conv(g, from, seed), 'signed', 4));
      const sum = g.stored(g.add('Add', [a!, b!]), 'signed', 1);
      return g.stored(g.add('Relu', [sum]), 'positive', 4);
    },
    /relu v\d+ in 8 bits/,
  ],
  'an addition of what is stored with another range': [
    (g) => {
      const from = before(g);
      const a = g.stored(conv(g, from, 5), 'signed', 4);
      const b = g.stored(conv(g, from, 6), 'shifted', 4);
      return g.stored(g.add('Relu', [g.add('Add', [a, b])]), 'positive', 4);
    },
    /v\d+ is -100\.\.155/,
  ],
};
for (const [what, [make, message]] of Object.entries(refused))
  test(`simd in int8, declines ${what}`, () => {
    expect(() => openInProcess(modelOf(make))).toThrow(message);
  });

test('simd in int8, declines an image that is stored as bytes, before a pool of bytes', () => {
  const model = modelOf((g) => {
    const pooled = g.add('MaxPool', [g.stored('input', 'signed', 0.8)], { kernel_shape: [2, 2] });
    return g.stored(pooled, 'signed', 0.8);
  }, 3);
  expect(() => openInProcess(model)).toThrow(/the graph's input input is quantised/);
});

// Of the later convolution the bounds are kept, which are a ReLU; of -128..127 nothing is (docs/int8.md), and nothing saturates.
for (const storage of ['signed', 'positive'] satisfies Storage[])
  test(`simd in int8, an addition of a convolution that is stored as ${storage}, agrees with onnxruntime`, async () => {
    const step = 3;
    const model = modelOf((g) => {
      const from = before(g);
      const a = g.stored(conv(g, from, 5), 'signed', step);
      const b = g.stored(conv(g, from, 6), storage, step);
      return g.stored(g.add('Relu', [g.add('Add', [a, b])]), 'positive', step);
    });
    const { plan, run } = openInProcess(model);
    const separate = plan.steps.filter(({ op }) => op === 'int8Add').length;
    expect(separate).toBe(storage === 'positive' ? 1 : 0);
    const ours = run(image);
    const [theirs] = await onOnnxruntime(model, [image]);
    for (const [i, value] of ours.entries())
      expect(Math.abs(value - theirs![i]!)).toBeLessThan(step / 2);
    expect(Math.max(...ours)).toBeGreaterThan(10 * step);
  });
