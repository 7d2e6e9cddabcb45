/** Weights of a block of 16 output channels, from the order of an ONNX file to that of the matrix product of bytes. */
import {
  advance,
  countDown,
  either,
  func,
  i32,
  lines,
  set,
  unrolled,
  v128,
  type Wat,
} from '../wat.ts';
import { stepVectorBytes } from './int8-gemm.ts';
import { anyTrue, bytes, i8x16, i16x8, i32x4 } from './lanes.ts';

/** How a step of 8 input channels is laid out. */
export interface StepOrder {
  /** Input channels of an output channel that stand side by side. */
  readonly run: 2 | 4;
  /** Where channel `k` of output channel `n` (0..3) of a vector goes. */
  at(k: number, n: number): number;
}

/** For the relaxed dot product: 4 input channels of each output channel, twice. */
export const byFours: StepOrder = { run: 4, at: (k, n) => 16 * (k >> 2) + 4 * n + (k & 3) };
/** For the product of 16-bit numbers: 2 input channels of each output channel, four times. */
export const byPairs: StepOrder = { run: 2, at: (k, n) => 8 * (k >> 1) + 2 * n + (k & 1) };

/** Bytes of packed weights per step of 8 input channels. */
const stepBytes = 4 * stepVectorBytes;

/**
 * Weights [16][channels][taps], `rowBytes` from one output channel to the next, to [tap][step of 8 input channels][vector of
 * 4 output channels][as `order` says]. A tap's steps take `tapBytes` at `dst`. Channels beyond `channels` are left as they
 * are.
 */
export const packInt8 = ({ run, at }: StepOrder): Wat => {
  // Byte k of the 8 of a step, which lie `taps` apart: as many as the local `left` says.
  const copyFrom = (k: number): Wat =>
    k === 8
      ? ''
      : lines(
          bytes.store('q', bytes.load('p'), at(k, 0)),
          advance('p', 'taps'),
          either(i32.gtS('left', k + 1), copyFrom(k + 1), ''),
        );
  const copyWhole = lines(
    unrolled(8 / run, (i) => bytes.copy(run, 'q', 'p', at(run * i, 0), run * i)),
    advance('p', 8),
  );
  const eachStep = (n: number, copy: Wat): Wat =>
    countDown('left', 8, lines(copy, advance('q', stepBytes)), `left${n}`);
  return func({
    name: 'pack_int8',
    params: ['src', 'rowBytes', 'channels', 'taps', 'dst', 'tapBytes'],
    locals: { i32: ['tap', 'left', 'p', 'q', 'scattered'] },
    body: lines(
      set('tap', 'taps'),
      // Of a 1×1 convolution the input channels lie side by side already.
      set('scattered', i32.add(i32.sub('taps', 1), i32.and('channels', 7))),
      countDown(
        'tap',
        1,
        lines(
          unrolled(16, (n) =>
            lines(
              set('p', i32.add('src', i32.mul('rowBytes', n))),
              set('q', i32.add('dst', (n >> 2) * stepVectorBytes + at(0, n & 3))),
              set('left', 'channels'),
              either('scattered', eachStep(n, copyFrom(0)), eachStep(n, copyWhole)),
            ),
          ),
          advance('src', 1),
          advance('dst', 'tapBytes'),
        ),
      ),
    ),
  });
};

/** 127 times this is the most that fits into 16 bits, on either side of 0. */
const largestSum = 258;

/**
 * Sets the word at `flag` to 1 when among `bytes` bytes of weights packed by fours there is a 16-bit sum of four products
 * that can overflow.
 */
export const checkInt8: Wat = func({
  name: 'check_int8',
  params: ['src', 'bytes', 'flag'],
  locals: { v128: ['y0', 'y1', 'zero', 'bad'] },
  body: lines(
    countDown(
      'bytes',
      stepVectorBytes,
      lines(
        set('y0', v128.load('src')),
        set('y1', v128.load('src', 16)),
        set('bad', i32x4.or('bad', i16x8.gtS(sumOf(i8x16.maxS), i16x8.splat(largestSum)))),
        set('bad', i32x4.or('bad', i16x8.ltS(sumOf(i8x16.minS), i16x8.splat(-largestSum)))),
        advance('src', stepVectorBytes),
      ),
    ),
    either(anyTrue('bad'), '(i32.store (local.get $flag) (i32.const 1))', ''),
  ),
});

/** Of the weights on one side of 0, what goes into each 16-bit sum. */
function sumOf(side: typeof i8x16.maxS): Wat {
  return i16x8.add(i16x8.addPairs(side('y0', 'zero')), i16x8.addPairs(side('y1', 'zero')));
}

/** Any weights do where sums are of 32 bits. */
export const checkNothing: Wat = func({
  name: 'check_int8',
  params: ['src', 'bytes', 'flag'],
  locals: {},
  body: '',
});
