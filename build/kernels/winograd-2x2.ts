/**
 * F(2×2, 3×3): 16 multiplications instead of 36. The matrices for the points 0, ±1, ∞:
 *
 *          ⎡1  0 −1  0⎤        ⎡ 1    0    0 ⎤
 *     Bᵀ = ⎢0  1  1  0⎥    G = ⎢1/2  1/2  1/2⎥    Aᵀ = ⎡1  1  1  0⎤
 *          ⎢0 −1  1  0⎥        ⎢1/2 −1/2  1/2⎥         ⎣0  1 −1 −1⎦
 *          ⎣0  1  0 −1⎦        ⎣ 0    0    1 ⎦
 */
import { lines, set } from './wat.ts';
import type { Algorithm, Arithmetic, Transform } from './winograd.ts';

const input = ({ add, sub }: Arithmetic): Transform => ({
  inputs: 4,
  terms: '',
  outputs: [sub('d0', 'd2'), add('d1', 'd2'), sub('d2', 'd1'), sub('d1', 'd3')],
});

const output = ({ add, sub }: Arithmetic): Transform => ({
  inputs: 4,
  terms: '',
  outputs: [add('d0', add('d1', 'd2')), sub(sub('d1', 'd2'), 'd3')],
});

const kernel = ({ add, sub, times }: Arithmetic): Transform => ({
  inputs: 3,
  terms: lines(set('even', times(1 / 2, add('d0', 'd2'))), set('odd', times(1 / 2, 'd1'))),
  outputs: ['d0', add('even', 'odd'), sub('even', 'odd'), 'd2'],
});

export const winograd2: Algorithm = { tile: 2, input, output, kernel };
