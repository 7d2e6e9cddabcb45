import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { createSimdEngine } from '../../src/inference/simd/engine.ts';
import { openInProcess } from '../simd/support/in-process.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { float32Tensor, node } from '../simd/support/models.ts';
import { qdqModel, shapeOnly } from './support/qdq-models.ts';

const side = 37;
const channels = 48;

/** Convolutions of every kind, a pool and a residual, with numbers that are the same on every machine. */
function fixedModel() {
  const dims = (out: number, size: number) => [out, channels, size, size];
  const integers = (count: number, seed: number, largest: number) =>
    Int8Array.from(seeded(count, seed, largest), (x) => Math.round(x));
  const conv = (size: number, seed: number, largest = 60) => ({
    values: integers(channels * channels * size * size, seed, largest),
    scales: seeded(channels, seed + 1, 0.004).map((x) => x + 0.01),
    bias: Int32Array.from(seeded(channels, seed + 2, 30000)),
  });
  const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  return qdqModel({
    ...{ height: side, width: side, dimension: channels },
    nodes: [
      node('Conv', ['input', 'image.weight'], 'image', { strides: [1, 1], pads: [1, 1, 1, 1] }),
      node('Relu', ['image'], 'before'),
      node('MaxPool', ['before'], 'pool', { ...same, strides: [2, 2] }),
      node('Conv', ['pool', 'a.weight'], 'a'),
      node('Relu', ['a'], 'a_relu'),
      node('Conv', ['a_relu', 'b.weight'], 'b', same),
      node('Relu', ['b'], 'b_relu'),
      node('Conv', ['pool', 'd.weight'], 'd'),
      node('Conv', ['b_relu', 'c.weight'], 'c'),
      node('Add', ['c', 'd'], 'sum'),
      node('Relu', ['sum'], 'sum_relu'),
      node('Conv', ['sum_relu', 'e.weight'], 'e', { ...same, strides: [2, 2] }),
      node('Relu', ['e'], 'e_relu'),
      node('GlobalAveragePool', ['e_relu'], 'pooled'),
      node('Flatten', ['pooled'], 'features'),
    ],
    initializers: [
      float32Tensor('image.weight', [channels, 3, 3, 3], seeded(channels * 27, 1)),
      ...['a', 'c', 'd'].map((name) => shapeOnly(`${name}.weight`, dims(channels, 1))),
      ...['b', 'e'].map((name) => shapeOnly(`${name}.weight`, dims(channels, 3))),
    ],
    scales: { before: 2, a_relu: 1.5, b_relu: 4, c: 3, d: 2, sum_relu: 3, e_relu: 5 },
    // The weights of one layer are too large for 16-bit sums.
    convs: { a: conv(1, 10), b: conv(3, 20), c: conv(1, 30, 127), d: conv(1, 40), e: conv(3, 50) },
  });
}

const model = fixedModel();
const images = Array.from({ length: 6 }, (_, i) => seeded(3 * side * side, i, 100));
const inProcess = openInProcess(model);
const expected = images.map((image) => inProcess.run(image));

for (const threads of [1, 2, 3])
  test(`${threads} threads in int8, give the same bits`, async () => {
    const opened = await createSimdEngine({ model, threads });
    if ('unsupported' in opened) throw new Error(opened.unsupported);
    const { engine } = opened;
    expect(await engine.run([images[0]!])).toEqual([expected[0]!]);
    const together = await Promise.all(images.map((image) => engine.run([image])));
    expect(together).toEqual(expected.map((row) => [row]));
    await engine.close();
  });

test('int8, gives the same bits on every machine, with and without relaxed SIMD', () => {
  const plain = openInProcess(model, false);
  expect(images.map((image) => plain.run(image))).toEqual(expected);
  const values = expected.flatMap((row) => Array.from(row));
  // Neither all zero nor saturated.
  expect(values.filter((x) => x > 1 && x < 600).length).toBeGreaterThan(values.length / 2);
  const hash = createHash('sha256');
  for (const row of expected) hash.update(new Uint8Array(row.buffer, 0, row.byteLength));
  expect(hash.digest('hex').slice(0, 16)).toBe('f483ff3f9eec527e');
});
