import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { overflows, quantiseWeights } from '../../model/quantize/weights.ts';
import type { Int8Kernels } from '../../src/inference/simd/int8/kernels.ts';
import { shiftFor } from '../../src/inference/simd/int8/load-weights.ts';
import { loadKernels } from '../../src/inference/simd/kernels/load-kernels.ts';
import { seeded } from '../simd/support/layer-models.ts';

const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
const open = (relaxed: boolean): Int8Kernels => {
  const module = loadKernels('int8', relaxed);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Int8Kernels;
};
const [relaxed, plain] = [open(true), open(false)];

/** Packs a block whose first output channel has the given weights, and asks the kernel about it. */
function kernelSays(
  kernels: Int8Kernels,
  values: Int8Array,
  inputs: number,
  taps: number,
): boolean {
  const [raw, packed, flag] = [0, 65536, 131072];
  const tapBytes = Math.ceil(inputs / 16) * 256;
  new Uint8Array(memory.buffer).fill(0);
  new Int8Array(memory.buffer, raw, values.length).set(values);
  kernels.pack_int8(raw, values.length, inputs, taps, packed, tapBytes);
  kernels.check_int8(packed, taps * tapBytes, flag);
  return new Int32Array(memory.buffer, flag, 1)[0] !== 0;
}

/** From the definition: whether some 16-bit sum of four products leaves 16 bits for some input 0..127. */
function canOverflow(values: Int8Array, inputs: number, taps: number): boolean {
  for (let tap = 0; tap < taps; tap++)
    for (let first = 0; first < inputs; first += 8)
      for (const lane of [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ]) {
        const weights = lane.map((k) =>
          first + k < inputs ? values[(first + k) * taps + tap]! : 0,
        );
        const most = 127 * weights.reduce((sum, w) => sum + Math.max(0, w), 0);
        const least = 127 * weights.reduce((sum, w) => sum + Math.min(0, w), 0);
        if (most > 32767 || least < -32768) return true;
      }
  return false;
}

const anyChannel = fc
  .record({
    inputs: fc.integer({ min: 1, max: 40 }),
    taps: fc.constantFrom(1, 2, 9),
    largest: fc.integer({ min: 1, max: 127 }),
    seed: fc.nat(1e6),
  })
  .map(({ inputs, taps, largest, seed }) => ({
    ...{ inputs, taps },
    values: Int8Array.from(seeded(inputs * taps, seed, largest), (x) => Math.round(x)),
  }));

test('the overflow check, says what the definition says, in TypeScript and in the kernel', () => {
  let yes = 0;
  fc.assert(
    fc.property(anyChannel, ({ values, inputs, taps }) => {
      const expected = canOverflow(values, inputs, taps);
      yes += Number(expected);
      expect(overflows(values, { inputs, taps })).toBe(expected);
      expect(kernelSays(relaxed, values, inputs, taps)).toBe(expected);
      expect(kernelSays(plain, values, inputs, taps)).toBe(false);
    }),
    { numRuns: 400 },
  );
  // Both answers came up.
  expect(yes).toBeGreaterThan(20);
  expect(yes).toBeLessThan(380);
});

test('the overflow check, draws the line at a sum of 258', () => {
  for (const [weights, expected] of [
    [[127, 127, 0, 0, 4, 0], false],
    [[127, 127, 0, 0, 4, 1], true],
    [[-127, -127, 0, 0, -4, 0], false],
    [[-127, -127, 0, 0, -4, -1], true],
    // The two lanes do not add up.
    [[127, 127, 127, 127, 0, 0], false],
    [[127, 127, -127, -127, 127, -127], true],
    [[0, 0, 127, 127, 0, 0, 5], true],
  ] as const) {
    const values = Int8Array.from(weights);
    expect(overflows(values, { inputs: values.length, taps: 1 })).toBe(expected);
    expect(kernelSays(relaxed, values, values.length, 1)).toBe(expected);
  }
});

test('quantised weights, never overflow and are at most half a step off', () => {
  fc.assert(
    fc.property(
      fc.record({
        outputs: fc.integer({ min: 1, max: 5 }),
        inputs: fc.integer({ min: 1, max: 20 }),
        taps: fc.constantFrom(1, 9),
        sign: fc.constantFrom(-1, 0, 1),
        seed: fc.nat(1e6),
      }),
      ({ sign, seed, ...shape }) => {
        const { outputs, inputs, taps } = shape;
        const size = inputs * taps;
        // Of one sign, large weights meet in the same sum often.
        const weights = seeded(outputs * size, seed).map((w) =>
          sign === 0 ? w : sign * Math.abs(w),
        );
        const { values, scales } = quantiseWeights(weights, shape, new Float32Array(outputs));
        for (let channel = 0; channel < outputs; channel++) {
          const own = values.subarray(channel * size, (channel + 1) * size);
          expect(canOverflow(own, inputs, taps)).toBe(false);
          for (const [i, value] of own.entries()) {
            const error = Math.abs(value * scales[channel]! - weights[channel * size + i]!);
            expect(error).toBeLessThanOrEqual(scales[channel]! * 0.5001);
          }
        }
      },
    ),
  );
});

test('quantised weights, keep to the least scale and survive a channel of zeros', () => {
  const weights = Float32Array.of(0, 0, 0, 0, 1e-20, -1e-20, 0, 0, 1, -0.5, 0.25, 0);
  const shape = { outputs: 3, inputs: 4, taps: 1 };
  const { values, scales } = quantiseWeights(weights, shape, Float32Array.of(0, 1e-6, 0));
  expect(Array.from(values)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 127, -64, 32, 0]);
  expect(scales[0]).toBeGreaterThan(0);
  expect(scales[1]).toBe(Math.fround(1e-6));
});

test('the shift of transformed weights, is the least that fits 16 and 32 bits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 35 }),
      fc.integer({ min: 16, max: 2048 }),
      fc.integer({ min: 0, max: 73152 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (plane, count, largest, density) => {
        const sum = Math.ceil(largest * Math.max(1, count * density));
        const shift = shiftFor(plane, sum, largest, count);
        const rows = [10, 10, 10, 6, 6, 10];
        // A loose bound of a transformed input: the product of both rows' sums of sizes.
        const input = 127 * rows[Math.floor(plane / 6)]! * rows[plane % 6]!;
        const fits = (s: number): boolean =>
          (sum / 2 ** s + count / 2) * input < 2 ** 31 && largest / 2 ** s + 0.5 <= 32767;
        if (shift > 0 && largest / 2 ** (shift - 1) + 0.5 <= 32767)
          expect(fits(shift - 1)).toBe(false);
        expect(largest / 2 ** shift + 0.5).toBeLessThanOrEqual(32767);
        // The bound used is tighter than the loose one, by less than two.
        expect((sum / 2 ** shift + count / 2) * input).toBeLessThan(2 ** 32);
      },
    ),
  );
});
