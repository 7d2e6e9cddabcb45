/** The way of a max pool over its windows, for any number format. */
import { advance, countDown, func, i32, lines, loopWhile, select, set, type Wat } from './wat.ts';

/** What a number format brings. */
export interface MaxPoolFormat {
  /** Bytes of 16 channels, which are taken together. */
  readonly groupBytes: number;
  /** Vectors that hold the largest values of the window so far. */
  readonly largest: readonly string[];
  /** Sets them to the least there is. */
  readonly start: Wat;
  /** Takes in the group at the local `q`. */
  readonly take: Wat;
  /** Other vectors that `take` uses. */
  readonly locals?: readonly string[];
  /** Stores them at the local `dst` plus `c`; may change `q`. */
  readonly store: Wat;
}

/**
 * One row of a max pool. The window of output pixel i covers the columns from `x + i · stride`, as many as `window`, that
 * lie within 0 … width−1, of `rows` rows from `src`. `x` may be negative; every window has at least one pixel.
 */
export const maxPoolOf = ({
  groupBytes,
  largest,
  locals = [],
  start,
  take,
  store,
}: MaxPoolFormat): Wat =>
  func({
    name: 'max_pool',
    params: [
      ...['src', 'rowBytes', 'rows', 'pixelBytes', 'width', 'window', 'x', 'stride', 'dst'],
      'pixels',
    ],
    locals: { i32: ['first', 'last', 'c', 'row', 'p', 'q', 'end'], v128: [...largest, ...locals] },
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
            start,
            set('p', i32.add(i32.add('src', i32.mul('first', 'pixelBytes')), 'c')),
            set('row', 'rows'),
            countDown(
              'row',
              1,
              lines(
                set('q', 'p'),
                set('end', i32.add('p', i32.mul(i32.sub('last', 'first'), 'pixelBytes'))),
                loopWhile('column', lines(take, advance('q', 'pixelBytes')), i32.ltU('q', 'end')),
                advance('p', 'rowBytes'),
              ),
            ),
            store,
            advance('c', groupBytes),
          ),
          i32.ltU('c', 'pixelBytes'),
        ),
        advance('x', 'stride'),
        advance('dst', 'pixelBytes'),
      ),
    ),
  });
