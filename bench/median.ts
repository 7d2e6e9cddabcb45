/** Of an even number the upper one of the two in the middle; of none, not a number. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
