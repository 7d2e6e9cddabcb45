/** Winograd's transforms in float32, four channels at a time. The mathematics stands in winograd.ts. */
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
} from './wat.ts';
import { type Algorithm, type Arithmetic, bothAxes, transformLocals } from './winograd.ts';

/** Vectors of four floats; doubling by an addition. */
export const arithmetic: Arithmetic = {
  add: f32x4.add,
  sub: f32x4.sub,
  times: (factor, a) => (factor === 2 ? f32x4.add(a, a) : f32x4.mul(a, f32x4.constant(factor))),
};

/** For each channel vector `c` of the pixel, `c` in bytes below `channelBytes`. */
const eachVector = (body: Wat): Wat =>
  lines(
    set('c', 0),
    loopWhile('vector', lines(body, advance('c', 16)), i32.ltU('c', 'channelBytes')),
  );

/**
 * Bᵀ d B of `tiles` tiles: tile t, whose first pixel lies at `src + table[t]`, to the planes at `dst`, one for each element, where
 * it is row t of a matrix [tiles × C].
 */
export const winogradInput = ({ tile, input }: Algorithm): Wat =>
  func({
    name: `winograd${tile}_input`,
    params: ['src', 'table', 'tiles', 'channelBytes', 'rowBytes', 'dst', 'planeBytes', 'scratch'],
    locals: { i32: ['tile', 'c', 'p', 'q'], v128: transformLocals },
    body: countDown(
      'tiles',
      1,
      lines(
        set('tile', i32.add('src', i32.load('table'))),
        eachVector(
          lines(
            bothAxes(
              input(arithmetic),
              (x) =>
                lines(
                  set(
                    'p',
                    x === 0
                      ? i32.add('tile', 'c')
                      : i32.add(i32.add('tile', 'c'), i32.mul('channelBytes', x)),
                  ),
                  unrolled(tile + 2, (y) =>
                    lines(y === 0 ? '' : advance('p', 'rowBytes'), set(`d${y}`, v128.load('p'))),
                  ),
                ),
              (y, row) =>
                lines(
                  y === 0 ? set('q', i32.add('dst', 'c')) : '',
                  ...row.map((out) => lines(v128.store('q', out), advance('q', 'planeBytes'))),
                ),
            ),
          ),
        ),
        advance('dst', 'channelBytes'),
        advance('table', 4),
      ),
    ),
  });

/** Bytes of a tile's entry in the table of `winograd_output`: offsets in out and in residual, rows, columns. */
const entryBytes = 16;

/** Position `i` of the tile, or the last one where the tile has only `count`. */
const clamped = (i: number, count: string): Wat => select(i, i32.sub(count, 1), i32.ltS(i, count));

/**
 * `out = max(floor, AᵀMA + bias (+ residual))` of `tiles` tiles, from the planes of products at `src`.
 *
 * At the lower and right edge of a map a tile may be cut short. Its stores go from the last row and
 * column to the first, and those beyond the edge go to the last that exists: what they leave there is overwritten.
 */
export const winogradOutput = ({ tile: side, output }: Algorithm, withResidual: boolean): Wat => {
  const positions = Array.from({ length: side }, (_, i) => i);
  const edges = positions.slice(1);
  const column = (x: number, pointer: string): Operand =>
    x === 0 ? pointer : i32.add(pointer, `x${x}`);
  const finished = (x: number, expression: Wat): Wat => {
    const sum = f32x4.add(expression, 'offset');
    const whole = withResidual ? f32x4.add(sum, v128.load(column(x, 'r'))) : sum;
    return f32x4.pmax(whole, 'least');
  };
  const tile = bothAxes(
    output(arithmetic),
    (x) =>
      lines(
        set('p', i32.add(i32.add('src', 'c'), i32.mul('planeBytes', x))),
        unrolled(side + 2, (y) => lines(set(`d${y}`, v128.load('p')), advance('p', 'rowOfPlanes'))),
      ),
    (y, row) =>
      lines(
        set('o', i32.add(i32.add('tile', 'c'), y === 0 ? 0 : `y${y}`)),
        withResidual ? set('r', i32.add(i32.add('residualTile', 'c'), y === 0 ? 0 : `z${y}`)) : '',
        ...row.map((out, x) => v128.store(column(x, 'o'), finished(x, out))).reverse(),
      ),
    positions.toReversed(),
  );
  return func({
    name: `winograd${side}_output${withResidual ? '_residual' : ''}`,
    params: [
      ...['src', 'planeBytes', 'tiles', 'channelBytes', 'bias', ['floor', 'f32'] as const],
      ...['out', 'rowBytes', 'residual', 'residualRowBytes', 'table', 'scratch'],
    ],
    locals: {
      i32: [
        ...['c', 'p', 'o', 'r', 'tile', 'residualTile', 'rows', 'columns', 'rowOfPlanes'],
        ...edges.flatMap((i) => [`x${i}`, `y${i}`, `z${i}`]),
      ],
      v128: [...transformLocals, 'least', 'offset'],
    },
    body: lines(
      set('least', f32x4.splat('floor')),
      set('rowOfPlanes', i32.mul('planeBytes', side + 2)),
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
              set(`x${i}`, i32.mul('channelBytes', clamped(i, 'columns'))),
              set(`y${i}`, i32.mul('rowBytes', clamped(i, 'rows'))),
              set(`z${i}`, i32.mul('residualRowBytes', clamped(i, 'rows'))),
            ),
          ),
          eachVector(lines(set('offset', v128.load(i32.add('bias', 'c'))), tile)),
          advance('src', 'channelBytes'),
          advance('table', entryBytes),
        ),
      ),
    ),
  });
};
