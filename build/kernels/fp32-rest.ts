/** The small kernels of float32: pooling, sums, and the way in. Channels come in groups of 16, 64 bytes. */
import {
  advance,
  countDown,
  f32,
  f32x4,
  func,
  i32,
  lines,
  loopWhile,
  select,
  set,
  unrolled,
  v128,
  type Wat,
} from './wat.ts';

const groupBytes = 64;
const sums = ['s0', 's1', 's2', 's3'];
const eachSum = (f: (sum: string, offset: number) => Wat): Wat =>
  lines(...sums.map((sum, i) => f(sum, 16 * i)));

/**
 * One row of a max pool. The window of output pixel i covers the columns from `x + i · stride`, as many as `window`, that
 * lie within 0 … width−1, of `rows` rows from `src`. `x` may be negative; every window has at least one pixel.
 */
export const maxPool: Wat = func({
  name: 'max_pool',
  params: [
    'src',
    'rowBytes',
    'rows',
    'pixelBytes',
    'width',
    'window',
    'x',
    'stride',
    'dst',
    'pixels',
  ],
  locals: { i32: ['first', 'last', 'c', 'row', 'p', 'q', 'end'], v128: sums },
  body: countDown(
    'pixels',
    1,
    lines(
      set('first', select('x', 0, i32.gtS('x', 0))),
      set('last', i32.add('x', 'window')),
      set('last', select('last', 'width', i32.ltS('last', 'width'))),
      set('c', 0),
      loopWhile(
        'group',
        lines(
          eachSum((sum) => set(sum, f32x4.constant(Number.NEGATIVE_INFINITY))),
          set('p', i32.add(i32.add('src', i32.mul('first', 'pixelBytes')), 'c')),
          set('row', 'rows'),
          countDown(
            'row',
            1,
            lines(
              set('q', 'p'),
              set('end', i32.add('p', i32.mul(i32.sub('last', 'first'), 'pixelBytes'))),
              loopWhile(
                'column',
                lines(
                  eachSum((sum, offset) => set(sum, f32x4.pmax(sum, v128.load('q', offset)))),
                  advance('q', 'pixelBytes'),
                ),
                i32.ltU('q', 'end'),
              ),
              advance('p', 'rowBytes'),
            ),
          ),
          set('q', i32.add('dst', 'c')),
          eachSum((sum, offset) => v128.store('q', sum, offset)),
          advance('c', groupBytes),
        ),
        i32.ltU('c', 'pixelBytes'),
      ),
      advance('x', 'stride'),
      advance('dst', 'pixelBytes'),
    ),
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
