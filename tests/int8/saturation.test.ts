import { expect, test } from 'bun:test';
import { type Map3, openInProcess } from '../simd/support/in-process.ts';
import { seeded } from '../simd/support/layer-models.ts';
import { node } from '../simd/support/models.ts';
import { imageFor, modelAround, shapeOnly } from './support/qdq-models.ts';

test('values far beyond what a byte holds, are stored as the nearest byte', () => {
  const channels = 16;
  const where = { channels, height: 20, width: 20, seed: 5, saturation: 4 };
  for (const side of [1, 3])
    for (const power of [3, 4, 5, 6, 7, 8, 9]) {
      const dims = [channels, channels, side, side];
      const count = dims.reduce((product, dim) => product * dim);
      const model = modelAround(where, {
        nodes: [node('Conv', ['before', 'conv.weight'], 'tested')],
        initializers: [shapeOnly('conv.weight', dims)],
        dimension: channels,
        scales: { tested: (4 * 200) / 127 / 10 ** power },
        convs: {
          tested: {
            values: Int8Array.from(seeded(count, 6, 127)),
            scales: new Float32Array(channels).fill(1),
            bias: new Int32Array(channels),
          },
        },
      });
      for (const relaxed of [true, false]) {
        const { input, output } = openInProcess(model, relaxed).runLayer(imageFor(where), 'tested');
        const weights = Array.from(seeded(count, 6, 127), Math.trunc);
        for (const [i, value] of output.values.entries()) {
          const sum = pointSum(input, weights, { side, i, ...output });
          // Winograd is not exact, and may give a small sum the other sign.
          if (Math.abs(sum) > 1000) expect(value).toBe(sum > 0 ? 127 : -128);
        }
      }
    }
});

/** The sum of products of bytes for output `i` of a square window without padding. */
function pointSum(
  map: Map3,
  weights: readonly number[],
  { side, i, height, width }: { side: number; i: number; height: number; width: number },
): number {
  const [n, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
  let sum = 0;
  for (let c = 0; c < map.channels; c++)
    for (let ky = 0; ky < side; ky++)
      for (let kx = 0; kx < side; kx++)
        sum +=
          weights[((n * map.channels + c) * side + ky) * side + kx]! *
          map.values[(c * map.height + y + ky) * map.width + x + kx]!;
  return sum;
}
