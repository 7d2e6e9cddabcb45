/**
 * Winograd's F(4×4, 3×3): a 4×4 tile of a 3×3 convolution (stride 1) by 36 instead of 144 multiplications.
 *
 *     Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
 *
 * with g the 3×3 kernel, d the 6×6 input tile, Y the 4×4 output tile and ⊙ elementwise. Summed over input channels, each
 * of the 36 elements is a matrix product [tiles × C] · [C × N]. The matrices are those for the points 0, ±1, ±2, ∞ of
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.3:
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
import { lines, type Operand, set, unrolled, v128, type Wat } from './wat.ts';

/** Vector arithmetic of a number format. `times` multiplies by a small constant. */
export interface Arithmetic {
  add(a: Operand, b: Operand): Wat;
  sub(a: Operand, b: Operand): Wat;
  times(factor: number, a: Operand): Wat;
}

/** One-dimensional transform: some common terms are set first, then each output is an expression of them. */
export interface Transform {
  readonly inputs: number;
  readonly terms: Wat;
  readonly outputs: readonly Wat[];
}

/** Locals of a transform: inputs `d0 … d5` and the common terms. */
export const transformLocals = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'even', 'odd', 'even2', 'odd2'];

/** Bᵀ d */
export function inputTransform({ add, sub, times }: Arithmetic): Transform {
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
export function outputTransform({ add, sub, times }: Arithmetic): Transform {
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
export function kernelTransform({ add, sub, times }: Arithmetic): Transform {
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

/**
 * A transform along both axes: down the columns, through a scratch of 36 vectors at the local `scratch`, then along the
 * rows.
 * @param load - sets `d<y>` for y = 0 … inputs−1 to column x
 * @param store - gets the transformed row y, one expression per x
 * @param order - in which order the rows are stored
 */
export function bothAxes(
  transform: Transform,
  load: (x: number) => Wat,
  store: (y: number, row: readonly Wat[]) => Wat,
  order: readonly number[] = [...transform.outputs.keys()],
): Wat {
  const { inputs, terms, outputs } = transform;
  const at = (y: number, x: number): number => 16 * (y * inputs + x);
  return lines(
    unrolled(inputs, (x) =>
      lines(load(x), terms, ...outputs.map((out, y) => v128.store('scratch', out, at(y, x)))),
    ),
    ...order.map((y) =>
      lines(
        unrolled(inputs, (x) => set(`d${x}`, v128.load('scratch', at(y, x)))),
        terms,
        store(y, outputs),
      ),
    ),
  );
}
