/**
 * Winograd's F(m×m, 3×3): an m×m tile of a 3×3 convolution (stride 1) by (m+2)² instead of 9m² multiplications.
 *
 *     Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
 *
 * with g the 3×3 kernel, d the (m+2)×(m+2) input tile, Y the m×m output tile and ⊙ elementwise. Summed over input channels,
 * each of the (m+2)² elements is a matrix product [tiles × C] · [C × N]. The matrices are those of Lavin and Gray, "Fast
 * Algorithms for Convolutional Neural Networks" (2016), sections 4.1 and 4.3, in winograd-2x2.ts and winograd-4x4.ts.
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

/** The three transforms for tiles of `tile`×`tile` outputs. */
export interface Algorithm {
  readonly tile: 2 | 4;
  /** Bᵀ d */
  input(arithmetic: Arithmetic): Transform;
  /** Aᵀ m */
  output(arithmetic: Arithmetic): Transform;
  /** G g */
  kernel(arithmetic: Arithmetic): Transform;
}

/** Locals of a transform: inputs `d0 … d5` and the common terms. */
export const transformLocals = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'even', 'odd', 'even2', 'odd2'];

/**
 * A transform along both axes: down the columns, through a scratch of a vector per element at the local `scratch`, then along the
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
