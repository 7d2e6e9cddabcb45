/**
 * Winograd's transforms around products of 16-bit numbers. Bᵀ d B has integers only: of bytes 0..127 it is exact in 16 bits
 * (at most 68 · 127). The products come as 32-bit sums and are scaled to float32 before Aᵀ M A.
 */

import { arithmetic as floats } from '../fp32-winograd.ts';
import {
  advance,
  countDown,
  f32x4,
  func,
  i32,
  lines,
  loopWhile,
  type Operand,
  select,
  set,
  unrolled,
  v128,
  type Wat,
} from '../wat.ts';
import { type Arithmetic, bothAxes, transformLocals } from '../winograd.ts';
import { winograd4 } from '../winograd-4x4.ts';
import { bytes, i16x8, i32x4 } from './lanes.ts';
import { requantiseLocals, requantisePrologue, to4Bytes } from './requantise.ts';

/** Vectors of eight 16-bit numbers. */
const words: Arithmetic = {
  add: i16x8.add,
  sub: i16x8.sub,
  times(factor, a) {
    if (factor === 5) return i16x8.add(i16x8.shl(a, 2), a);
    return i16x8.shl(a, Math.log2(factor));
  },
};

/** For each group of `size` channels: the local `c` counts channels below `channels`. */
const eachGroup = (size: number, body: Wat): Wat =>
  lines(set('c', 0), loopWhile('group', lines(body, advance('c', size)), i32.ltU('c', 'channels')));

/**
 * Bᵀ d B of `tiles` tiles: tile t, whose first pixel lies at `src + table[t]`, to the 36 planes at `dst`, where it is row t
 * of a matrix [tiles × C] of 16-bit numbers.
 */
export const winogradInput: Wat = func({
  name: 'winograd_input',
  params: ['src', 'table', 'tiles', 'channels', 'rowBytes', 'dst', 'planeBytes', 'scratch'],
  locals: { i32: ['tile', 'c', 'p', 'q'], v128: transformLocals },
  body: countDown(
    'tiles',
    1,
    lines(
      set('tile', i32.add('src', i32.load('table'))),
      eachGroup(
        8,
        bothAxes(
          winograd4.input(words),
          (x) =>
            lines(
              set('p', i32.add(i32.add('tile', 'c'), x === 0 ? 0 : i32.mul('channels', x))),
              unrolled(6, (y) =>
                lines(y === 0 ? '' : advance('p', 'rowBytes'), set(`d${y}`, bytes.load8U('p'))),
              ),
            ),
          (y, row) =>
            lines(
              y === 0 ? set('q', i32.add('dst', i32.shl('c', 1))) : '',
              ...row.map((out) => lines(v128.store('q', out), advance('q', 'planeBytes'))),
            ),
        ),
      ),
      advance('dst', i32.shl('channels', 1)),
      advance('table', 4),
    ),
  ),
});

/** Bytes of a tile's entry in the table of `winograd_output`: offsets in out and in residual, rows, columns. */
const entryBytes = 16;
/** Bytes of the factors of four channels: a vector for each of the 36 planes. */
const factorBytes = 36 * 16;

/** Position `i` of 4, or the last one where the tile has only `count`. */
const clamped = (i: number, count: string): Wat => select(i, i32.sub(count, 1), i32.ltS(i, count));

/**
 * `out = saturate(round(Aᵀ(M ⊙ factors)A + bias (+ residual · residualScale)))` of `tiles` tiles, from the 36 planes of
 * 32-bit sums at `src`; `factors` are [4 channels][plane][channel], bias and factors in steps of the output's scale.
 *
 * At the lower and right edge of a map a tile may have fewer than 4 rows or columns. Its stores go from the last row and
 * column to the first, and those beyond the edge go to the last that exists: what they leave there is overwritten.
 */
export const winogradOutput = (name: string, withResidual: boolean): Wat => {
  const edges = [1, 2, 3];
  const column = (x: number, pointer: string): Operand =>
    x === 0 ? pointer : i32.add(pointer, `x${x}`);
  const residual = (x: number): Wat =>
    f32x4.mul(
      i32x4.toFloat(i32x4.extendLowS(i16x8.extendLowS(bytes.load4(column(x, 'r'))))),
      'residualFactor',
    );
  const tile = bothAxes(
    winograd4.output(floats),
    (x) =>
      lines(
        set('p', i32.add(i32.add('src', i32.shl('c', 2)), i32.mul('planeBytes', x))),
        unrolled(6, (y) =>
          lines(
            set(
              `d${y}`,
              f32x4.mul(i32x4.toFloat(v128.load('p')), v128.load('f', 16 * (6 * y + x))),
            ),
            advance('p', 'rowOfPlanes'),
          ),
        ),
      ),
    (y, row) =>
      lines(
        set('o', i32.add(i32.add('tile', 'c'), y === 0 ? 0 : `y${y}`)),
        withResidual ? set('r', i32.add(i32.add('residualTile', 'c'), y === 0 ? 0 : `z${y}`)) : '',
        ...row
          .map((out, x) => {
            const sum = f32x4.add(out, 'offset');
            return lines(
              to4Bytes(withResidual ? f32x4.add(sum, residual(x)) : sum),
              bytes.store4(column(x, 'o'), 'bytes'),
            );
          })
          .reverse(),
      ),
    [3, 2, 1, 0],
  );
  return func({
    name,
    params: [
      ...['src', 'planeBytes', 'tiles', 'channels', 'factors', 'bias', 'least'],
      ...['residualScale'].map((p) => [p, 'f32'] as const),
      ...['out', 'rowBytes', 'residual', 'residualRowBytes', 'table', 'scratch'],
    ],
    locals: {
      i32: [
        ...['c', 'f', 'p', 'o', 'r', 'tile', 'residualTile', 'rows', 'columns', 'rowOfPlanes'],
        ...edges.flatMap((i) => [`x${i}`, `y${i}`, `z${i}`]),
      ],
      v128: [...transformLocals, 'offset', 'residualFactor', ...requantiseLocals],
    },
    body: lines(
      requantisePrologue,
      set('residualFactor', f32x4.splat('residualScale')),
      set('rowOfPlanes', i32.mul('planeBytes', 6)),
      countDown(
        'tiles',
        1,
        lines(
          set('tile', i32.add('out', i32.load('table'))),
          set('residualTile', i32.add('residual', i32.load('table', 4))),
          set('rows', i32.load('table', 8)),
          set('columns', i32.load('table', 12)),
          ...edges.map((i) =>
            lines(
              set(`x${i}`, i32.mul('channels', clamped(i, 'columns'))),
              set(`y${i}`, i32.mul('rowBytes', clamped(i, 'rows'))),
              set(`z${i}`, i32.mul('residualRowBytes', clamped(i, 'rows'))),
            ),
          ),
          set('f', 'factors'),
          eachGroup(
            4,
            lines(
              set('offset', v128.load(i32.add('bias', i32.shl('c', 2)))),
              tile,
              advance('f', factorBytes),
            ),
          ),
          advance('src', i32.shl('channels', 2)),
          advance('table', entryBytes),
        ),
      ),
    ),
  });
};
