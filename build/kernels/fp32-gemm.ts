/** The matrix product in float32: every accumulator is `c ← c + a · b`, rounded after each operation on every machine. */
import { accumulator, type GemmFormat } from './gemm.ts';
import { f32x4, i32, lines, set, unrolled, v128 } from './wat.ts';

export const fp32Gemm: GemmFormat = {
  stepBytes: 4,
  vectorBytes: 16,
  outBytes: 4,
  biasBytes: 4,
  // 0 with ReLU, minus infinity without.
  params: [['floor', 'f32']],
  locals: ['x0', 'x1', 'x2', 'x3', 'y', 'sum', 'least'],
  prologue: set('least', f32x4.splat('floor')),

  start: ({ rows, vectors }) =>
    unrolled(vectors, (j) =>
      lines(
        set(accumulator(0, j), v128.load('bias', 16 * j)),
        unrolled(rows - 1, (i) => set(accumulator(i + 1, j), accumulator(0, j))),
      ),
    ),

  // The rows' values stay in registers, a vector of weights is read just before its use: no spills with 2 × 4.
  step: ({ rows, vectors }, aOffset, bOffset) =>
    lines(
      unrolled(rows, (i) =>
        set(`x${i}`, v128.load32Splat(aOffset === 0 ? `a${i}` : i32.add(`a${i}`, aOffset))),
      ),
      unrolled(vectors, (j) =>
        lines(
          set('y', v128.load('b', bOffset + 16 * j)),
          unrolled(rows, (i) =>
            set(accumulator(i, j), f32x4.add(accumulator(i, j), f32x4.mul(`x${i}`, 'y'))),
          ),
        ),
      ),
    ),

  store: ({ vectors }, row, withResidual) =>
    unrolled(vectors, (j) =>
      lines(
        set('sum', accumulator(row, j)),
        withResidual ? set('sum', f32x4.add('sum', v128.load('r', 16 * j))) : '',
        v128.store('o', f32x4.pmax('sum', 'least'), 16 * j),
      ),
    ),
};
