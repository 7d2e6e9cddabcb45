/** A vector as a small picture: dimension 0 at the top left, row after row, the same dimension always in the same cell. */
import { figuresOf } from './figures.ts';
import { currentRamp } from './ramp.ts';

const columns = 128;

const rowsOf = (dimension: number): number => Math.max(1, Math.ceil(dimension / columns));

/** Paints one pixel per value, from 0 (or the smallest, if there are negative values) to the largest. */
export function paintStrip(canvas: HTMLCanvasElement, vector: Float32Array): void {
  const { min, max } = figuresOf(vector);
  const low = Math.min(min, 0);
  const span = max - low || 1;
  const colour = currentRamp();
  const rows = rowsOf(vector.length);
  canvas.width = columns;
  canvas.height = rows;
  const image = new ImageData(columns, rows);
  vector.forEach((value, dimension) => {
    image.data.set([...colour((value - low) / span), 255], dimension * 4);
  });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** The dimension under a point of a strip's box, in CSS pixels from its top left corner. */
export function dimensionAt(
  x: number,
  y: number,
  box: { readonly width: number; readonly height: number },
  dimension: number,
): number {
  const rows = rowsOf(dimension);
  const column = Math.min(columns - 1, Math.max(0, Math.floor((x / box.width) * columns)));
  const row = Math.min(rows - 1, Math.max(0, Math.floor((y / box.height) * rows)));
  return Math.min(dimension - 1, row * columns + column);
}

/** The centre of a dimension's cell, in percent of the strip's width and height. */
export function cellOf(at: number, dimension: number): { left: number; top: number } {
  const rows = rowsOf(dimension);
  return {
    left: (((at % columns) + 0.5) / columns) * 100,
    top: ((Math.floor(at / columns) + 0.5) / rows) * 100,
  };
}
