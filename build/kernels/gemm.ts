/**
 * The matrix product that all convolutions come down to, for any number format.
 *
 * `out[m][n] = activate(bias[n] + Σₖ A[m][k] · B[k][n] (+ residual[m][n]))` over `rows` pixels m and `blocks` blocks of
 * 16 output channels n. Row m of A is not copied together (no im2col): it is read where the activations lie, as `segments`
 * runs of `segmentBytes` contiguous bytes, `segmentStride` apart, from the address `A + table[m]`. A 1×1 convolution is one
 * segment of C values, a k×k one is k segments of k·C values, a stride is a matter of the table alone.
 *
 * The innermost loop holds a tile of `rows × vectors` accumulators in registers. Per step of k it reads one value per row,
 * repeated over a vector, and `vectors` vectors of packed weights.
 */
import {
  advance,
  countDown,
  either,
  func,
  i32,
  lines,
  loopWhile,
  set,
  unrolled,
  type Wat,
} from './wat.ts';

export interface Tile {
  /** Pixels, and the number of table entries taken at once. */
  readonly rows: number;
  /** Vectors of 4 output channels; a block of the weights is `4 · vectors` channels. */
  readonly vectors: number;
  /** Steps of k written out per turn of the loop; a segment's length is a multiple of it. */
  readonly unroll: number;
}

/** What a number format brings: how to start, feed and finish the accumulators `c<row>_<vector>`. */
export interface GemmFormat {
  /** Bytes of a row of A that one step of k reads. */
  readonly stepBytes: number;
  /** Bytes of a vector of B. */
  readonly vectorBytes: number;
  /** Bytes of one output channel. */
  readonly outBytes: number;
  /** Bytes of bias (and scale) per output channel at the local `bias`. */
  readonly biasBytes: number;
  /** Parameters of the kernel beyond the common ones, constant over a call. */
  readonly params: readonly [string, 'i32' | 'f32'][];
  readonly locals: readonly string[];
  /** Once per call. */
  readonly prologue: Wat;
  /** Starts every accumulator. */
  start(tile: Tile): Wat;
  /** One step of k: rows at the locals `a<row>` plus `offset(row)`, weights at the local `b` plus `bOffset`. */
  step(tile: Tile, aOffset: number, bOffset: number): Wat;
  /** Finishes row `row` and stores it at the local `o`; `withResidual` adds what lies at the local `r`. */
  store(tile: Tile, row: number, withResidual: boolean): Wat;
}

export const accumulator = (row: number, vector: number): string => `c${row}_${vector}`;

export function gemm(name: string, tile: Tile, format: GemmFormat): Wat {
  const { rows, vectors, unroll } = tile;
  const accumulators = Array.from({ length: rows * vectors }, (_, i) =>
    accumulator(Math.floor(i / vectors), i % vectors),
  );
  const pointers = Array.from({ length: rows }, (_, i) => `a${i}`);
  const blockBytes = 4 * vectors;

  const multiply = lines(
    set('segment', 'segments'),
    loopWhile(
      'nextSegment',
      lines(
        set('end', i32.add('a0', 'segmentBytes')),
        loopWhile(
          'k',
          lines(
            unrolled(unroll, (u) =>
              format.step(tile, u * format.stepBytes, u * vectors * format.vectorBytes),
            ),
            ...pointers.map((p) => advance(p, unroll * format.stepBytes)),
            advance('b', unroll * vectors * format.vectorBytes),
          ),
          i32.ltU('a0', 'end'),
        ),
        ...pointers.map((p) => advance(p, 'gap')),
        set('segment', i32.sub('segment', 1)),
      ),
      'segment',
    ),
  );
  const finish = (withResidual: boolean): Wat =>
    unrolled(rows, (row) =>
      lines(
        set('o', i32.add('out', i32.load('outAt', 4 * row))),
        withResidual ? set('r', i32.add('residual', i32.load('residualAt', 4 * row))) : '',
        format.store(tile, row, withResidual),
      ),
    );

  return func({
    name,
    params: [
      ...['A', 'table', 'rows', 'B', 'blocks', 'segments', 'segmentBytes', 'segmentStride', 'bias'],
      ...['out', 'outTable', 'residual', 'residualTable'],
      ...format.params,
    ],
    locals: {
      i32: [
        ...pointers,
        'b',
        'segment',
        'end',
        'gap',
        'row',
        'at',
        'outAt',
        'residualAt',
        'o',
        'r',
      ],
      v128: [...accumulators, ...format.locals],
    },
    body: lines(
      format.prologue,
      set('gap', i32.sub('segmentStride', 'segmentBytes')),
      countDown(
        'blocks',
        1,
        lines(
          set('at', 'table'),
          set('outAt', 'outTable'),
          set('residualAt', 'residualTable'),
          set('row', 'rows'),
          countDown(
            'row',
            rows,
            lines(
              ...pointers.map((p, i) => set(p, i32.add('A', i32.load('at', 4 * i)))),
              format.start(tile),
              set('b', 'B'),
              multiply,
              either('residualTable', finish(true), finish(false)),
              advance('at', 4 * rows),
              advance('outAt', 4 * rows),
              advance('residualAt', 4 * rows),
            ),
          ),
          set('B', 'b'),
          advance('bias', blockBytes * format.biasBytes),
          advance('out', blockBytes * format.outBytes),
          advance('residual', blockBytes * format.outBytes),
        ),
      ),
    ),
  });
}
