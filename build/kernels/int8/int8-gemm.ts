/**
 * The matrix product of bytes: activations 0..127 times weights -128..127, summed exactly in 32 bits, then scaled, rounded
 * and stored as bytes. Three ways to the same sums; docs/int8.md has the argument.
 */
import { accumulator, type GemmFormat, type Tile } from '../gemm.ts';
import { f32x4, i32, lines, set, unrolled, v128, type Wat } from '../wat.ts';
import { bytes, i16x8, i32x4 } from './lanes.ts';
import { addBytes, requantiseLocals, requantisePrologue, toBytes } from './requantise.ts';

/** Input channels of a step, and bytes of weights per step and vector of four output channels. */
export const stepChannels = 8;
export const stepVectorBytes = 4 * stepChannels;

const sums = ['s0', 's1', 's2', 's3'];

const common: Omit<GemmFormat, 'locals' | 'prologue' | 'step'> = {
  stepBytes: stepChannels,
  vectorBytes: stepVectorBytes,
  outBytes: 1,
  // Per block: 16 biases (i32), then 16 factors (f32).
  biasBytes: 8,
  params: [
    ['residualScale', 'f32'],
    ['least', 'i32'],
    // The number 1: JavaScriptCore makes slower code of a vector of constants that it knows.
    ['one', 'i32'],
  ],

  start: ({ rows, vectors }) =>
    unrolled(vectors, (j) =>
      lines(
        set(accumulator(0, j), v128.load('bias', 16 * j)),
        unrolled(rows - 1, (i) => set(accumulator(i + 1, j), accumulator(0, j))),
      ),
    ),

  store: ({ vectors }, row, withResidual) =>
    lines(
      ...sums.map((sum, j) => {
        const factor = v128.load('bias', 16 * (vectors + j));
        return set(sum, f32x4.mul(i32x4.toFloat(accumulator(row, j)), factor));
      }),
      withResidual ? addBytes(sums, 'r', 'residualFactor', 'words') : '',
      v128.store('o', toBytes(['s0', 's1', 's2', 's3'])),
    ),
};

const commonLocals = [...sums, 'residualFactor', ...requantiseLocals];
const commonPrologue = lines(
  requantisePrologue,
  set('residualFactor', f32x4.splat('residualScale')),
);

/** The 4 bytes of each row from channel `4 · group` of the step on, repeated: locals `x<row>_<group>`. */
const loadRows = ({ rows }: Tile, aOffset: number): Wat =>
  unrolled(rows, (i) =>
    unrolled(2, (group) => {
      const offset = aOffset + 4 * group;
      return set(
        `x${i}_${group}`,
        v128.load32Splat(offset === 0 ? `a${i}` : i32.add(`a${i}`, offset)),
      );
    }),
  );

/** Weights as [group of 4 input channels][output channel][input channel]: what one dot product takes. */
const dotStep =
  (accumulate: (sum: string, row: number) => Wat): GemmFormat['step'] =>
  (tile, aOffset, bOffset) =>
    lines(
      loadRows(tile, aOffset),
      unrolled(tile.vectors, (j) =>
        lines(
          ...[0, 1].map((group) =>
            set(`y${group}`, v128.load('b', bOffset + j * stepVectorBytes + 16 * group)),
          ),
          unrolled(tile.rows, (i) => accumulate(accumulator(i, j), i)),
        ),
      ),
    );

const dotLocals = (rows: number): string[] => [
  ...Array.from({ length: rows }, (_, i) => [`x${i}_0`, `x${i}_1`]).flat(),
  ...['y0', 'y1', 'ones'],
];

const relaxed = (rows: number, step: GemmFormat['step']): GemmFormat => ({
  ...common,
  locals: [...commonLocals, ...dotLocals(rows)],
  prologue: lines(commonPrologue, set('ones', i16x8.splat('one'))),
  step,
});

const product = (row: number, group: number): Wat => i16x8.dot8(`y${group}`, `x${row}_${group}`);
const widenInto = (sum: string, words: Wat): Wat =>
  set(sum, i32x4.add(sum, i32x4.dot16(words, 'ones')));

/** Two dot products are added up in 16 bits before they are widened: four products a lane, which must not overflow. */
export const pairedGemm = (rows: number): GemmFormat =>
  relaxed(
    rows,
    dotStep((sum, row) => widenInto(sum, i16x8.add(product(row, 0), product(row, 1)))),
  );

/** Every dot product is widened at once: for weights of any size. */
export const widenedGemm = (rows: number): GemmFormat =>
  relaxed(
    rows,
    dotStep((sum, row) => lines(widenInto(sum, product(row, 0)), widenInto(sum, product(row, 1)))),
  );

/** Without relaxed instructions. Weights as [pair of input channels][output channel][input channel]. */
export const plainGemm = (rows: number): GemmFormat => ({
  ...common,
  locals: [...commonLocals, ...Array.from({ length: rows }, (_, i) => `x${i}`), 'y'],
  prologue: commonPrologue,
  step: (tile, aOffset, bOffset) =>
    unrolled(stepChannels / 2, (pair) =>
      lines(
        unrolled(tile.rows, (i) => {
          const two = bytes.load2Splat(i32.add(`a${i}`, aOffset + 2 * pair));
          return set(`x${i}`, i16x8.extendLowU(two));
        }),
        unrolled(tile.vectors, (j) =>
          lines(
            set('y', bytes.load8S('b', bOffset + j * stepVectorBytes + 8 * pair)),
            unrolled(tile.rows, (i) => {
              const sum = accumulator(i, j);
              return set(sum, i32x4.add(sum, i32x4.dot16(`x${i}`, 'y')));
            }),
          ),
        ),
      ),
    ),
});
