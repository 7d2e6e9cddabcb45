import { expect, test } from 'bun:test';
import { normaliseL2 } from '../../src/embedder/normalise.ts';

test('normaliseL2, divides by the Euclidean norm and leaves its input alone', () => {
  const features = Float32Array.of(3, 4, 0);
  expect([...normaliseL2(features)]).toEqual([...Float32Array.of(0.6, 0.8, 0)]);
  expect([...features]).toEqual([3, 4, 0]);
});

test('normaliseL2, values too large to square in float32 are exact enough', () => {
  const [a, b] = normaliseL2(Float32Array.of(3e30, 4e30));
  expect(a).toBeCloseTo(0.6, 6);
  expect(b).toBeCloseTo(0.8, 6);
});

test.each([
  ['all zero', Float32Array.of(0, 0)],
  ['NaN', Float32Array.of(1, Number.NaN)],
  ['infinite', Float32Array.of(1, Number.POSITIVE_INFINITY)],
])('normaliseL2, %s is refused', (_, features) => {
  expect(() => normaliseL2(features)).toThrow(/no usable vector/);
});
