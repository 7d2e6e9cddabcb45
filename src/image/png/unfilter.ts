/** PNG's row filters (PNG specification, 9.2), undone in place. */
import { OperatorError } from '../../errors.ts';

/**
 * Undoes the filters of `rows` rows of `1 + rowLength` bytes beginning at `start`, and moves the rows together there, without
 * their filter bytes: the result fills `rows * rowLength` bytes from `start` on.
 * @param step - bytes from a byte to its left neighbour: those of a whole pixel, at least 1
 * @throws OperatorError IMAGE_CORRUPT
 */
export function unfilter(
  data: Uint8Array,
  start: number,
  rows: number,
  rowLength: number,
  step: number,
): void {
  for (let row = 0; row < rows; row++) {
    const from = start + row * (rowLength + 1);
    const filter = data[from] as number;
    const to = start + row * rowLength;
    data.copyWithin(to, from + 1, from + 1 + rowLength);
    // The row above the first one counts as zeros (9.2): Up then adds nothing, and Paeth becomes Sub.
    const above = row > 0;
    if (filter === 1 || (filter === 4 && !above)) undoSub(data, to, rowLength, step);
    else if (filter === 2) above && undoUp(data, to, rowLength);
    else if (filter === 3) undoAverage(data, to, rowLength, step, above);
    else if (filter === 4) undoPaeth(data, to, rowLength, step);
    else if (filter !== 0)
      throw new OperatorError('IMAGE_CORRUPT', `PNG row filter ${filter} does not exist`);
  }
}

function undoSub(data: Uint8Array, start: number, length: number, step: number): void {
  for (let i = start + step; i < start + length; i++)
    data[i] = (data[i] as number) + (data[i - step] as number);
}

function undoUp(data: Uint8Array, start: number, length: number): void {
  for (let i = start; i < start + length; i++)
    data[i] = (data[i] as number) + (data[i - length] as number);
}

function undoAverage(
  data: Uint8Array,
  start: number,
  length: number,
  step: number,
  above: boolean,
): void {
  for (let i = start; i < start + length; i++) {
    const left = i < start + step ? 0 : (data[i - step] as number);
    const up = above ? (data[i - length] as number) : 0;
    data[i] = (data[i] as number) + ((left + up) >> 1);
  }
}

function undoPaeth(data: Uint8Array, start: number, length: number, step: number): void {
  const first = Math.min(step, length);
  for (let i = start; i < start + first; i++)
    data[i] = (data[i] as number) + (data[i - length] as number);
  for (let i = start + first; i < start + length; i++) {
    const left = data[i - step] as number;
    const up = data[i - length] as number;
    const corner = data[i - length - step] as number;
    const estimate = left + up - corner;
    const toLeft = Math.abs(estimate - left);
    const toUp = Math.abs(estimate - up);
    const toCorner = Math.abs(estimate - corner);
    const nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    data[i] = (data[i] as number) + nearest;
  }
}
