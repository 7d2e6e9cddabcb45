/** How Winograd's F(m×m, 3×3) cuts a map into tiles, and which convolutions are worth it. */
import { type ConvLayer, type Edges, pixels } from '../network/network.ts';

/** m: a tile is m×m outputs. */
export type TileSide = 2 | 4;

/** A plane for each element of a transformed tile, a matrix of all tiles by all channels. */
export const planesOf = (tile: TileSide): number => (tile + 2) ** 2;
/** Bytes between planes beyond their size, so that they do not all fall on the same lines of the cache. */
export const planeGap = 192;
/** A vector per element, for a transform to pass its rows and columns through. */
export const transformScratch = (tile: TileSide): number => planesOf(tile) * 16;

/**
 * The transformed weights are four times as large with tiles of 4×4, and 16/9 as large with 2×2. On a map of 14×14 a value
 * of them is used for 16 tiles of 4×4, which is worth it; on 7×7 for 4 of them, where its way from memory would be waited
 * for, but for 16 tiles of 2×2.
 */
const leastPixels: Readonly<Record<TileSide, number>> = { 4: 14 * 14, 2: 7 * 7 };

/** @returns undefined for a convolution that is better done as one matrix product */
export function tileSideOf(
  { window, output, weights }: ConvLayer,
  fromInput: boolean,
): TileSide | undefined {
  if (fromInput || weights.dims[2] !== 3 || weights.dims[3] !== 3) return undefined;
  if (window.strideY !== 1 || window.strideX !== 1) return undefined;
  const count = pixels(output.shape);
  return count >= leastPixels[4] ? 4 : count >= leastPixels[2] ? 2 : undefined;
}

export const tilesAlong = (length: number, tile: TileSide): number => Math.ceil(length / tile);

/** The last tiles read as far as whole tiles need it, even if the map ends before. */
export function winogradBorder({ window, input, output }: ConvLayer, tile: TileSide): Edges {
  const beyond = (outputs: number, before: number, inputs: number): number =>
    Math.max(0, tilesAlong(outputs, tile) * tile + 2 - before - inputs);
  const { top, left } = window.padding;
  return {
    top,
    left,
    bottom: beyond(output.shape.height, top, input.shape.height),
    right: beyond(output.shape.width, left, input.shape.width),
  };
}
