import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { halfTensor } from '../../model/convert/half-tensor.ts';

const bits = (...values: number[]): number[] => [
  ...new Uint16Array(
    new Uint8Array(
      halfTensor('w', [BigInt(values.length)], Float32Array.from(values)).tensor.rawData,
    ).buffer,
  ),
];

describe('halfTensor', () => {
  test('rounds to the nearest, ties to even', () => {
    // IEEE 754-2019, 3.6: one sign bit, five of exponent with bias 15, ten of fraction.
    expect(bits(1, -2, 65504, 2 ** -14, 2 ** -24)).toEqual([
      0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001,
    ]);
    expect(bits(1 + 2 ** -11, 1 + 3 * 2 ** -11)).toEqual([0x3c00, 0x3c02]);
    expect(bits(65519)).toEqual([0x7bff]);
  });

  test('counts what vanishes', () => {
    const { vanished } = halfTensor('w', [4n], Float32Array.of(0, 2 ** -25, -(2 ** -30), 2 ** -24));
    expect(vanished).toBe(2);
  });

  test('refuses what is too large and what is no number', () => {
    for (const value of [65520, -1e6, Number.NaN])
      expect(() => halfTensor('conv1', [1n], Float32Array.of(value))).toThrow(/conv1: .*65504/);
  });

  test('is within half a unit in the last place', () => {
    fc.assert(
      fc.property(fc.float({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const [half] = new Float16Array(new Uint16Array(bits(value)).buffer);
        const unit = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(value) || 1)) - 10);
        expect(Math.abs(half! - value)).toBeLessThanOrEqual(unit / 2);
      }),
    );
  });
});
