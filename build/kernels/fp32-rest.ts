/** The small kernels of float32: pooling, sums, and the way in. Channels come in groups of 16, 64 bytes. */
import { maxPoolOf } from './max-pool.ts';
import {
  advance,
  countDown,
  f32,
  f32x4,
  func,
  i32,
  lines,
  set,
  unrolled,
  v128,
  type Wat,
} from './wat.ts';

const groupBytes = 64;
const sums = ['s0', 's1', 's2', 's3'];
const eachSum = (f: (sum: string, offset: number) => Wat): Wat =>
  lines(...sums.map((sum, i) => f(sum, 16 * i)));

/** `pmax` keeps its first operand where one is NaN, the largest so far: NaN in the other is put over it, as all bits set. */
const takeLargest = (sum: Wat, offset: number): Wat =>
  lines(
    set('next', v128.load('q', offset)),
    set(sum, v128.or(f32x4.pmax(sum, 'next'), f32x4.ne('next', 'next'))),
  );

export const maxPool: Wat = maxPoolOf({
  groupBytes,
  largest: sums,
  locals: ['next'],
  start: eachSum((sum) => set(sum, f32x4.constant(Number.NEGATIVE_INFINITY))),
  take: eachSum(takeLargest),
  store: lines(
    set('q', i32.add('dst', 'c')),
    eachSum((sum, offset) => v128.store('q', sum, offset)),
  ),
});

/** The mean of 16 channels over `rows` rows of `rowPixels` pixels; `scale` is 1 / (rows · rowPixels). */
export const averagePool: Wat = func({
  name: 'average_pool',
  params: ['src', 'rowBytes', 'rows', 'pixelBytes', 'rowPixels', 'dst', ['scale', 'f32']],
  locals: { i32: ['p', 'pixel'], v128: [...sums, 'factor'] },
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
            eachSum((sum, offset) => set(sum, f32x4.add(sum, v128.load('p', offset)))),
            advance('p', 'pixelBytes'),
          ),
        ),
        advance('src', 'rowBytes'),
      ),
    ),
    set('factor', f32x4.splat('scale')),
    eachSum((sum, offset) => v128.store('dst', f32x4.mul(sum, 'factor'), offset)),
  ),
});

/** `out = max(floor, a + b)` over `bytes` bytes, a multiple of 64. */
export const add: Wat = func({
  name: 'add',
  params: ['a', 'b', 'out', 'bytes', ['floor', 'f32']],
  locals: { v128: ['least'] },
  body: lines(
    set('least', f32x4.splat('floor')),
    countDown(
      'bytes',
      groupBytes,
      lines(
        unrolled(4, (i) =>
          v128.store(
            'out',
            f32x4.pmax(f32x4.add(v128.load('a', 16 * i), v128.load('b', 16 * i)), 'least'),
            16 * i,
          ),
        ),
        ...['a', 'b', 'out'].map((p) => advance(p, groupBytes)),
      ),
    ),
  ),
});

/** `out = max(0, a)` over `bytes` bytes, a multiple of 64. */
export const relu: Wat = func({
  name: 'relu',
  params: ['a', 'out', 'bytes'],
  locals: {},
  body: countDown(
    'bytes',
    groupBytes,
    lines(
      unrolled(4, (i) =>
        v128.store('out', f32x4.pmax(v128.load('a', 16 * i), f32x4.constant(0)), 16 * i),
      ),
      ...['a', 'out'].map((p) => advance(p, groupBytes)),
    ),
  ),
});

/**
 * One row of the network's input: `pixels` pixels of `channels` values, whose planes lie `planeBytes` apart and whose
 * pixels `pixelBytes` (planar images: 4 and the plane's size; interleaved: the pixel's size and 4).
 */
export const interleave: Wat = func({
  name: 'interleave',
  params: ['src', 'pixelBytes', 'planeBytes', 'channels', 'dst', 'pixels'],
  locals: { i32: ['p', 'channel'] },
  body: countDown(
    'pixels',
    1,
    lines(
      set('p', 'src'),
      set('channel', 'channels'),
      countDown(
        'channel',
        1,
        lines(f32.store('dst', f32.load('p')), advance('p', 'planeBytes'), advance('dst', 4)),
      ),
      advance('src', 'pixelBytes'),
    ),
  ),
});
