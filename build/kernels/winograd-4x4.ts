/**
 * F(4×4, 3×3): 36 multiplications instead of 144. The matrices for the points 0, ±1, ±2, ∞:
 *
 *          ⎡4  0 −5  0  1  0⎤        ⎡  1/4    0     0 ⎤         ⎡1  1  1  1  1  0⎤
 *          ⎢0 −4 −4  1  1  0⎥        ⎢ −1/6  −1/6  −1/6⎥    Aᵀ = ⎢0  1 −1  2 −2  0⎥
 *     Bᵀ = ⎢0  4 −4 −1  1  0⎥    G = ⎢ −1/6   1/6  −1/6⎥         ⎢0  1  1  4  4  0⎥
 *          ⎢0 −2 −1  2  1  0⎥        ⎢ 1/24   1/12  1/6⎥         ⎣0  1 −1  8 −8  1⎦
 *          ⎢0  2 −1 −2  1  0⎥        ⎢ 1/24  −1/12  1/6⎥
 *          ⎣0  4  0 −5  0  1⎦        ⎣   0     0     1 ⎦
 *
 * Rows 1 and 2, and 3 and 4, of each are sum and difference of the same two terms; the code below uses that.
 */
import { lines, set } from './wat.ts';
import type { Algorithm, Arithmetic, Transform } from './winograd.ts';

/** Bᵀ d */
function input({ add, sub, times }: Arithmetic): Transform {
  return {
    inputs: 6,
    terms: lines(
      set('even', sub('d4', times(4, 'd2'))),
      set('odd', sub('d3', times(4, 'd1'))),
      set('even2', sub('d4', 'd2')),
      set('odd2', times(2, sub('d3', 'd1'))),
    ),
    outputs: [
      add(sub(times(4, 'd0'), times(5, 'd2')), 'd4'),
      add('even', 'odd'),
      sub('even', 'odd'),
      add('even2', 'odd2'),
      sub('even2', 'odd2'),
      add(sub(times(4, 'd1'), times(5, 'd3')), 'd5'),
    ],
  };
}

/** Aᵀ m */
function output({ add, sub, times }: Arithmetic): Transform {
  return {
    inputs: 6,
    terms: lines(
      set('even', add('d1', 'd2')),
      set('odd', sub('d1', 'd2')),
      set('even2', add('d3', 'd4')),
      set('odd2', sub('d3', 'd4')),
    ),
    outputs: [
      add('d0', add('even', 'even2')),
      add('odd', times(2, 'odd2')),
      add('even', times(4, 'even2')),
      add(add('odd', times(8, 'odd2')), 'd5'),
    ],
  };
}

/** G g */
function kernel({ add, sub, times }: Arithmetic): Transform {
  return {
    inputs: 3,
    terms: lines(
      set('even', times(-1 / 6, add('d0', 'd2'))),
      set('odd', times(-1 / 6, 'd1')),
      set('even2', add(times(1 / 24, 'd0'), times(1 / 6, 'd2'))),
      set('odd2', times(1 / 12, 'd1')),
    ),
    outputs: [
      times(1 / 4, 'd0'),
      add('even', 'odd'),
      sub('even', 'odd'),
      add('even2', 'odd2'),
      sub('even2', 'odd2'),
      'd2',
    ],
  };
}

export const winograd4: Algorithm = { tile: 4, input, output, kernel };
