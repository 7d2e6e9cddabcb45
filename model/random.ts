/** Seeded random numbers that are the same on every machine and in every run. */

export interface Random {
  /** A 32-bit unsigned integer. */
  uint32(): number;
  /** Mean 0, variance 1. */
  normal(): number;
}

/**
 * xoshiro128** of Blackman and Vigna (https://prng.di.unimi.it/), its state filled by splitmix32.
 * @param stream - different streams of one seed are independent
 */
export function createRandom(seed: number, stream = 0): Random {
  let counter = (seed ^ Math.imul(stream + 1, 0x9e3779b9)) >>> 0;
  const splitmix = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    let z = counter;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];

  const uint32 = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };

  // The sum of twelve uniform numbers has variance 1 and is close to normal up to four deviations. Additions only: the
  // usual transforms need a logarithm, whose last bit depends on the machine's library.
  const normal = (): number => {
    let sum = 0;
    for (let i = 0; i < 6; i++) {
      const bits = uint32();
      sum += (bits & 0xffff) + (bits >>> 16);
    }
    return (sum + 6) / 65536 - 6;
  };
  return { uint32, normal };
}
