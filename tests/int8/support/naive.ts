/** The int8 arithmetic spelt out, one operation after the other, each rounded to float32 where the kernels round. */
import type { Map3 } from '../../simd/support/in-process.ts';

const f32 = Math.fround;

export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** No byte is −0. */
export const saturate = (x: number, least: number): number =>
  Math.max(least, Math.min(127, roundHalfEven(x))) + 0;

export interface NaiveConv {
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  /** Per output channel: what an integer sum is worth in steps of the output. */
  readonly factors: Float32Array;
  /** The same before it is rounded to float32. */
  readonly factors64: readonly number[];
  readonly residualScale: number;
  readonly least: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Rows above and columns to the left. */
  readonly top: number;
  readonly left: number;
}

const at = (map: Map3, c: number, y: number, x: number): number =>
  y < 0 || x < 0 || y >= map.height || x >= map.width
    ? 0
    : map.values[(c * map.height + y) * map.width + x]!;

/** The exact sum of a convolution of bytes at one place, bias included. */
export function sumAt(
  conv: Pick<NaiveConv, 'weights' | 'bias' | 'kernel' | 'strides' | 'top' | 'left'>,
  input: Map3,
  inputs: number,
  n: number,
  y: number,
  x: number,
): number {
  const [rows, columns] = conv.kernel;
  let sum = conv.bias[n]!;
  for (let c = 0; c < inputs; c++)
    for (let ky = 0; ky < rows; ky++)
      for (let kx = 0; kx < columns; kx++) {
        const iy = y * conv.strides[0] + ky - conv.top;
        const ix = x * conv.strides[1] + kx - conv.left;
        const weight = conv.weights[((n * inputs + c) * rows + ky) * columns + kx]!;
        sum += weight * at(input, c, iy, ix);
      }
  return sum;
}

/** A sum in steps of the output, rounded and saturated. */
export function finish(
  conv: Pick<NaiveConv, 'residualScale' | 'least'>,
  scaled: number,
  residual: number | undefined,
): number {
  const added =
    residual === undefined ? scaled : f32(scaled + f32(f32(residual) * f32(conv.residualScale)));
  return saturate(added, conv.least);
}

export const scaledSum = (sum: number, factor: number): number => f32(f32(sum) * factor);

const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
/** 24 G */
const G24 = [
  [6, 0, 0],
  [-4, -4, -4],
  [-4, 4, -4],
  [1, 2, 4],
  [1, -2, 4],
  [0, 0, 24],
];

const sandwich = (m: readonly number[][], a: readonly number[][]): number[][] => {
  const product = m.map((row) =>
    a[0]!.map((_, x) => row.reduce((sum, value, k) => sum + value * a[k]![x]!, 0)),
  );
  return product.map((row) =>
    m.map((other) => other.reduce((sum, value, k) => sum + value * row[k]!, 0)),
  );
};

/** The largest size of an element of Bᵀ d B for d in 0..127, from its definition. */
function largestInput(i: number, j: number): number {
  let [positive, negative] = [0, 0];
  for (const p of B[i]!)
    for (const q of B[j]!)
      if (p * q > 0) positive += p * q;
      else negative -= p * q;
  return 127 * Math.max(positive, negative);
}

/** A channel's 576 G g Gᵀ of all inputs and what the 36 planes are divided by: `[plane][input]`. */
export function winogradWeights(weights: Int8Array, inputs: number, stored: number, n: number) {
  const planes = Array.from({ length: 36 }, () => new Float64Array(stored));
  for (let c = 0; c < inputs; c++) {
    const g = [0, 1, 2].map((y) =>
      [0, 1, 2].map((x) => weights[((n * inputs + c) * 3 + y) * 3 + x]!),
    );
    const expanded = sandwich(G24, g);
    for (const [i, row] of expanded.entries())
      for (const [j, value] of row.entries()) planes[6 * i + j]![c] = value;
  }
  return planes.map((values, plane) => {
    const sum = values.reduce((total, value) => total + Math.abs(value), 0);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const bound = Math.floor((2 ** 31 - 1) / largestInput(Math.floor(plane / 6), plane % 6));
    let power = 1;
    while (sum / power + stored / 2 > bound || largest / power + 0.5 > 32767) power *= 2;
    return { rounded: values.map((value) => roundHalfEven(value / power)), power };
  });
}

/** The transformed inputs of the tile whose output begins at (y, x): `[plane][input]`. */
export function winogradInputs(
  input: Map3,
  inputs: number,
  y: number,
  x: number,
  top: number,
  left: number,
): Float64Array[] {
  const planes = Array.from({ length: 36 }, () => new Float64Array(inputs));
  for (let c = 0; c < inputs; c++) {
    const tile = Array.from({ length: 6 }, (_, dy) =>
      Array.from({ length: 6 }, (_, dx) => at(input, c, y + dy - top, x + dx - left)),
    );
    for (const [i, row] of sandwich(B, tile).entries())
      for (const [j, value] of row.entries()) planes[6 * i + j]![c] = value;
  }
  return planes;
}

/** Aᵀ m in float32, in the kernels' order of operations. */
function outputTransform(m: readonly number[]): number[] {
  const [d0, d1, d2, d3, d4, d5] = m as [number, number, number, number, number, number];
  const [even, odd] = [f32(d1 + d2), f32(d1 - d2)];
  const [even2, odd2] = [f32(d3 + d4), f32(d3 - d4)];
  return [
    f32(d0 + f32(even + even2)),
    f32(odd + f32(2 * odd2)),
    f32(even + f32(4 * even2)),
    f32(f32(odd + f32(8 * odd2)) + d5),
  ];
}

/** Aᵀ M A in float32: down the columns, then along the rows. */
export function winogradOutputs(products: readonly number[]): number[][] {
  const columns = Array.from({ length: 6 }, (_, x) =>
    outputTransform(Array.from({ length: 6 }, (_, y) => products[6 * y + x]!)),
  );
  return Array.from({ length: 4 }, (_, y) => outputTransform(columns.map((column) => column[y]!)));
}
