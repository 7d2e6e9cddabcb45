/**
 * Weights from the order of an ONNX file, [output channel][input channel][row][column], to the order in which the kernels
 * read them. Both work on a block of 16 output channels whose values lie `rowBytes` apart, and multiply each channel by
 * its `scale` (1, or a batch normalisation's factor).
 */
import { arithmetic } from './fp32-winograd.ts';
import {
  advance,
  countDown,
  f32x4,
  func,
  i32,
  lines,
  set,
  unrolled,
  v128,
  type Wat,
} from './wat.ts';
import { type Algorithm, bothAxes, transformLocals } from './winograd.ts';

const rowPointers = ['row0', 'row1', 'row2', 'row3'];

/** Points `row0 … row3` to the four output channels of vector `vector`, seen from the first channel's local `from`. */
const pointRows = (from: string, vector: number): Wat =>
  lines(
    set('row0', i32.add(from, i32.mul('rowBytes', 4 * vector))),
    ...[1, 2, 3].map((i) => set(`row${i}`, i32.add(`row${i - 1}`, 'rowBytes'))),
  );

/** Sets `name` to the value at `offset` of the four rows, times the local `factor`. */
const gather = (name: string, offset: number): Wat =>
  lines(
    ...rowPointers.map((row, lane) => set(name, v128.load32Lane(row, name, lane, offset))),
    set(name, f32x4.mul(name, 'factor')),
  );

/**
 * For the matrix product: [tap][input channel][16], the taps (kernel positions) row by row. A tap's channels are `tapBytes`
 * apart at `dst`: more than `channels` of them when they are padded, and what is between stays as it is.
 */
export const packGemm: Wat = func({
  name: 'pack_gemm',
  params: ['src', 'rowBytes', 'channels', 'taps', 'scale', 'dst', 'tapBytes'],
  locals: {
    i32: ['tap', 'channel', 'tapStride', 'p', 'q', ...rowPointers],
    v128: ['values', 'factor'],
  },
  body: lines(
    set('tapStride', i32.shl('taps', 2)),
    set('tap', 'taps'),
    countDown(
      'tap',
      1,
      lines(
        unrolled(4, (vector) =>
          lines(
            pointRows('src', vector),
            set('factor', v128.load('scale', 16 * vector)),
            set('q', 'dst'),
            set('channel', 'channels'),
            countDown(
              'channel',
              1,
              lines(
                gather('values', 0),
                v128.store('q', 'values', 16 * vector),
                advance('q', 64),
                ...rowPointers.map((row) => advance(row, 'tapStride')),
              ),
              `channel${vector}`,
            ),
          ),
        ),
        advance('src', 4),
        advance('dst', 'tapBytes'),
      ),
    ),
  ),
});

/** For Winograd: G g Gᵀ of every 3×3 kernel, as a matrix [input channel][16] per element, `planeBytes` apart at `dst`. */
export const packWinograd = ({ tile, kernel }: Algorithm): Wat =>
  func({
    name: `pack_winograd${tile}`,
    params: ['src', 'rowBytes', 'channels', 'scale', 'dst', 'planeBytes', 'scratch'],
    locals: { i32: ['q', ...rowPointers], v128: [...transformLocals, 'factor'] },
    body: countDown(
      'channels',
      1,
      lines(
        unrolled(4, (vector) =>
          lines(
            pointRows('src', vector),
            set('factor', v128.load('scale', 16 * vector)),
            bothAxes(
              kernel(arithmetic),
              (x) => unrolled(3, (y) => gather(`d${y}`, 4 * (3 * y + x))),
              (y, row) =>
                lines(
                  y === 0 ? set('q', 'dst') : '',
                  ...row.map((out) =>
                    lines(v128.store('q', out, 16 * vector), advance('q', 'planeBytes')),
                  ),
                ),
            ),
          ),
        ),
        advance('src', 36),
        advance('dst', 64),
      ),
    ),
  });
