/** The matrix products beside that of bytes: the float32 convolution of the image, and Winograd's of 16-bit numbers. */
import { fp32Gemm } from '../fp32-gemm.ts';
import { accumulator, type GemmFormat } from '../gemm.ts';
import { f32x4, i32, lines, set, unrolled, v128 } from '../wat.ts';
import { divide, i32x4 } from './lanes.ts';
import { requantiseLocals, requantisePrologue, toBytes } from './requantise.ts';

/** float32 in, bytes out: divided by the output's scale and rounded as QuantizeLinear does. */
export const imageGemm: GemmFormat = {
  ...fp32Gemm,
  outBytes: 1,
  params: [
    ['scale', 'f32'],
    ['least', 'i32'],
  ],
  locals: ['x0', 'x1', 'x2', 'x3', 'y', 'divisor', ...requantiseLocals],
  prologue: lines(requantisePrologue, set('divisor', f32x4.splat('scale'))),
  store: (_, row) =>
    v128.store(
      'o',
      toBytes([
        divide(accumulator(row, 0), 'divisor'),
        divide(accumulator(row, 1), 'divisor'),
        divide(accumulator(row, 2), 'divisor'),
        divide(accumulator(row, 3), 'divisor'),
      ]),
    ),
};

/** 16-bit numbers in, 32-bit sums out. Weights as [pair of channels of A][column of B][channel]. */
export const wordGemm: GemmFormat = {
  stepBytes: 4,
  vectorBytes: 16,
  outBytes: 4,
  biasBytes: 0,
  params: [],
  locals: ['x0', 'x1', 'y'],
  prologue: '',
  start: ({ rows, vectors }) =>
    unrolled(rows, (i) => unrolled(vectors, (j) => set(accumulator(i, j), i32x4.splat(0)))),
  step: ({ rows, vectors }, aOffset, bOffset) =>
    lines(
      unrolled(rows, (i) =>
        set(`x${i}`, v128.load32Splat(aOffset === 0 ? `a${i}` : i32.add(`a${i}`, aOffset))),
      ),
      unrolled(vectors, (j) =>
        lines(
          set('y', v128.load('b', bOffset + 16 * j)),
          unrolled(rows, (i) => {
            const sum = accumulator(i, j);
            return set(sum, i32x4.add(sum, i32x4.dot16(`x${i}`, 'y')));
          }),
        ),
      ),
    ),
  store: ({ vectors }, row) =>
    unrolled(vectors, (j) => v128.store('o', accumulator(row, j), 16 * j)),
};
