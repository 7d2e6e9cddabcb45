/**
 * From a float32 in steps of the output's scale to the byte that is stored, the same on every machine.
 *
 * Adding 1.5 · 2²³ to a float32 x with |x| < 2²² rounds it to the nearest integer, halves to even, since floats of that size
 * are 1 apart; the integer then stands in the low bits of the sum. Beyond, the bits are still in the order of the numbers,
 * as long as nothing is taken from them: so the least byte is seen to first, and the saturation that follows does the rest.
 */
import { f32x4, lines, set, unrolled, v128, type Wat } from '../wat.ts';
import { i8x16, i16x8, i32x4 } from './lanes.ts';

/** 1.5 · 2²³ and its bits. */
const magic = 12582912;
const magicBits = 0x4b400000;

export const requantiseLocals = ['magic', 'magicBits', 'leastBits', 'bytes', 'words'];

/** Sets the locals that rounding uses. */
export const roundingConstants: Wat = lines(
  set('magic', f32x4.constant(magic)),
  set('magicBits', i32x4.splat(magicBits)),
);

/** Sets the constants; the parameter `least` is the least byte, 0 for a ReLU and -128 for none. */
export const requantisePrologue: Wat = lines(
  roundingConstants,
  set('leastBits', i32x4.add('magicBits', i32x4.splat('least'))),
);

/** A vector of floats below 2²² as 32-bit integers. */
export const roundToInteger = (x: Wat): Wat => i32x4.sub(f32x4.add(x, 'magic'), 'magicBits');

/** A vector of any floats as 32-bit integers from `least`, not yet saturated above. */
const fromLeast = (x: Wat): Wat =>
  i32x4.sub(i32x4.maxS(f32x4.add(x, 'magic'), 'leastBits'), 'magicBits');

/** Four vectors of floats as 16 bytes; `least` applied. */
export const toBytes = (x: readonly [Wat, Wat, Wat, Wat]): Wat => {
  const [a, b, c, d] = x.map(fromLeast) as [Wat, Wat, Wat, Wat];
  return i8x16.narrow(i16x8.narrow(a, b), i16x8.narrow(c, d));
};

/** One vector of floats as 4 bytes, in the lowest lanes. */
export const to4Bytes = (x: Wat): Wat => {
  const rounded = fromLeast(x);
  return lines(
    set('words', i16x8.narrow(rounded, rounded)),
    set('bytes', i8x16.narrow('words', 'words')),
  );
};

/**
 * Adds 16 signed bytes at `address`, times the vector `factor`, to the four vectors `sums`.
 * @param words - a local to use
 */
export const addBytes = (
  sums: readonly string[],
  address: string,
  factor: string,
  words: string,
): Wat =>
  lines(
    set('bytes', v128.load(address)),
    unrolled(2, (half) =>
      lines(
        set(words, half === 0 ? i16x8.extendLowS('bytes') : i16x8.extendHighS('bytes')),
        unrolled(2, (quarter) => {
          const integers = quarter === 0 ? i32x4.extendLowS(words) : i32x4.extendHighS(words);
          const sum = sums[2 * half + quarter]!;
          return set(sum, f32x4.add(sum, f32x4.mul(i32x4.toFloat(integers), factor)));
        }),
      ),
    ),
  );
