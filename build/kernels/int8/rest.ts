/** The small kernels of bytes: pooling and sums. Channels come in groups of 16, 16 bytes. */
import { maxPoolOf } from '../max-pool.ts';
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
import { i8x16, i16x8, i32x4 } from './lanes.ts';
import { addBytes, requantiseLocals, requantisePrologue, toBytes } from './requantise.ts';

const groupBytes = 16;
const sums = ['s0', 's1', 's2', 's3'];

export const maxPool: Wat = maxPoolOf({
  groupBytes,
  largest: ['most'],
  start: set('most', i8x16.splat(-128)),
  take: set('most', i8x16.maxS('most', v128.load('q'))),
  store: v128.store(i32.add('dst', 'c'), 'most'),
});

/**
 * The mean of 16 channels over `rows` rows of `rowPixels` pixels, as floats: an exact sum of integers times `scale`, which
 * is the integers' scale over the number of pixels.
 */
export const averagePool: Wat = func({
  name: 'average_pool',
  params: ['src', 'rowBytes', 'rows', 'pixelBytes', 'rowPixels', 'dst', ['scale', 'f32']],
  locals: { i32: ['p', 'pixel'], v128: [...sums, 'bytes', 'half', 'factor'] },
  body: lines(
    countDown(
      'rows',
      1,
      lines(
        set('p', 'src'),
        set('pixel', 'rowPixels'),
        countDown(
          'pixel',
          1,
          lines(
            set('bytes', v128.load('p')),
            set('half', i16x8.extendLowS('bytes')),
            set('s0', i32x4.add('s0', i32x4.extendLowS('half'))),
            set('s1', i32x4.add('s1', i32x4.extendHighS('half'))),
            set('half', i16x8.extendHighS('bytes')),
            set('s2', i32x4.add('s2', i32x4.extendLowS('half'))),
            set('s3', i32x4.add('s3', i32x4.extendHighS('half'))),
            advance('p', 'pixelBytes'),
          ),
        ),
        advance('src', 'rowBytes'),
      ),
    ),
    set('factor', f32x4.splat('scale')),
    unrolled(4, (i) => v128.store('dst', f32x4.mul(i32x4.toFloat(`s${i}`), 'factor'), 16 * i)),
  ),
});

/** `out = saturate(round(a · scaleA + b · scaleB))` over `length` bytes, a multiple of 16; scales in steps of out's. */
export const add: Wat = func({
  name: 'add',
  params: ['a', 'b', 'out', 'length', ['scaleA', 'f32'], ['scaleB', 'f32'], 'least'],
  locals: { v128: [...sums, 'factorA', 'factorB', 'zero', ...requantiseLocals] },
  body: lines(
    requantisePrologue,
    set('factorA', f32x4.splat('scaleA')),
    set('factorB', f32x4.splat('scaleB')),
    countDown(
      'length',
      groupBytes,
      lines(
        ...sums.map((sum) => set(sum, 'zero')),
        addBytes(sums, 'a', 'factorA', 'words'),
        addBytes(sums, 'b', 'factorB', 'words'),
        v128.store('out', toBytes(['s0', 's1', 's2', 's3'])),
        ...['a', 'b', 'out'].map((p) => advance(p, groupBytes)),
      ),
    ),
  ),
});
