/** What can be said of one vector in a few numbers. */
export interface Figures {
  /** Euclidean length. */
  readonly norm: number;
  readonly min: number;
  readonly max: number;
  /** Share of values that are exactly 0, 0 to 1. */
  readonly sparsity: number;
}

/** Figures of a vector of at least one value. */
export function figuresOf(vector: Float32Array): Figures {
  let squares = 0;
  let zeros = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of vector) {
    squares += value * value;
    if (value === 0) zeros++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { norm: Math.sqrt(squares), min, max, sparsity: zeros / vector.length };
}

/** A value for people: four significant digits, plain where that is short. */
export function formatValue(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e5 ? value.toFixed(4) : value.toExponential(2);
}
