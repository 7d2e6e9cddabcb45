/** Winograd in 16 bits has tiles of 4×4 only: with 2×2 it would be no faster than the products of bytes. */
import { planesOf, tileSideOf } from '../common/winograd-tiles.ts';
import type { ConvLayer } from '../network/network.ts';

export const tile = 4;
export const planes: number = planesOf(tile);

export const takesWinograd = (layer: ConvLayer, fromInput: boolean): boolean =>
  tileSideOf(layer, fromInput) === tile;
