/**
 * A 3×3 kernel g of bytes to Winograd's G g Gᵀ in 16 bits, in three parts: 576 G g Gᵀ, whose elements are integers below
 * 2¹⁷, exactly in 32 bits; how large each plane and output channel of it becomes; and, once a power of two is chosen for
 * those, their rounding.
 */
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
} from '../wat.ts';
import { bothAxes, type Transform, transformLocals } from '../winograd.ts';
import { bytes, i32x4 } from './lanes.ts';
import { roundingConstants, roundToInteger } from './requantise.ts';

const rowPointers = ['row0', 'row1', 'row2', 'row3'];

const { add, sub, shl } = i32x4;
const sumOfEdges = add('d0', 'd2');

/** 24 G g */
const kernelTransform: Transform = {
  inputs: 3,
  terms: lines(
    set('even', sub(i32x4.splat(0), shl(sumOfEdges, 2))),
    set('odd', sub(i32x4.splat(0), shl('d1', 2))),
    set('even2', add('d0', shl('d2', 2))),
    set('odd2', shl('d1', 1)),
  ),
  outputs: [
    add(shl('d0', 2), shl('d0', 1)),
    add('even', 'odd'),
    sub('even', 'odd'),
    add('even2', 'odd2'),
    sub('even2', 'odd2'),
    add(shl('d2', 4), shl('d2', 3)),
  ],
};

/** Sets `name` to the bytes at `offset` of the four rows. */
const gather = (name: string, offset: number): Wat =>
  lines(
    ...rowPointers.map((row, lane) =>
      set(name, i32x4.replace(lane, name, bytes.load(row, offset))),
    ),
  );

/**
 * 576 G g Gᵀ of `channels` input channels of a block of 16 output channels, whose weights lie `rowBytes` apart at `src`, as
 * 36 planes [input channel][16] of 32-bit integers, `planeBytes` apart at `dst`.
 */
export const expandWinograd: Wat = func({
  name: 'expand_winograd',
  params: ['src', 'rowBytes', 'channels', 'dst', 'planeBytes', 'scratch'],
  locals: { i32: ['q', ...rowPointers], v128: transformLocals },
  body: countDown(
    'channels',
    1,
    lines(
      unrolled(4, (vector) =>
        lines(
          set('row0', i32.add('src', i32.mul('rowBytes', 4 * vector))),
          ...[1, 2, 3].map((i) => set(`row${i}`, i32.add(`row${i - 1}`, 'rowBytes'))),
          bothAxes(
            kernelTransform,
            (x) => unrolled(3, (y) => gather(`d${y}`, 3 * y + x)),
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
      advance('src', 9),
      advance('dst', 64),
    ),
  ),
});

/** Of one plane [input channel][16]: each output channel's sum of absolute values, then each one's largest, at `dst`. */
export const measurePlane: Wat = func({
  name: 'measure_plane',
  params: ['src', 'channels', 'dst'],
  locals: {
    v128: ['a', ...[0, 1, 2, 3].flatMap((i) => [`sum${i}`, `most${i}`])],
  },
  body: lines(
    countDown(
      'channels',
      1,
      lines(
        unrolled(4, (i) =>
          lines(
            set('a', i32x4.abs(v128.load('src', 16 * i))),
            set(`sum${i}`, i32x4.add(`sum${i}`, 'a')),
            set(`most${i}`, i32x4.maxS(`most${i}`, 'a')),
          ),
        ),
        advance('src', 64),
      ),
    ),
    unrolled(4, (i) =>
      lines(v128.store('dst', `sum${i}`, 16 * i), v128.store('dst', `most${i}`, 64 + 16 * i)),
    ),
  ),
});

/**
 * One plane [input channel][16] of 32-bit integers, times 16 powers of two at `factors`, rounded (halves to even) to 16
 * bits and packed as [pair of input channels][16][input channel]. `channels` is even.
 */
export const roundPlane: Wat = func({
  name: 'round_plane',
  params: ['src', 'channels', 'factors', 'dst'],
  locals: { v128: ['low', 'high', 'factor', 'magic', 'magicBits'] },
  body: lines(
    roundingConstants,
    countDown(
      'channels',
      2,
      lines(
        unrolled(4, (i) => {
          const rounded = (offset: number): Wat =>
            roundToInteger(f32x4.mul(i32x4.toFloat(v128.load('src', offset + 16 * i)), 'factor'));
          return lines(
            set('factor', v128.load('factors', 16 * i)),
            set('low', i32x4.and(rounded(0), i32x4.splat(0xffff))),
            set('high', i32x4.shl(rounded(64), 16)),
            v128.store('dst', i32x4.or('low', 'high'), 16 * i),
          );
        }),
        advance('src', 128),
        advance('dst', 64),
      ),
    ),
  ),
});
