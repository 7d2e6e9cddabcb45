/** Stored PNG samples to 8-bit grey or RGB, by Pillow's rules. */
import { OperatorError } from '../../errors.ts';
import { clipGrey16, type ExpandRow, expandPalette, expandSmallGrey, pick } from '../expand-row.ts';
import type { PngHeader } from './header.ts';

export interface Expansion {
  /** Samples per pixel that `row` writes. */
  readonly channels: 1 | 3 | 4;
  /** Undefined where the stored samples are what is wanted. */
  readonly row: ExpandRow | undefined;
}

/** @throws OperatorError IMAGE_CORRUPT for a palette image without a palette */
export function chooseExpansion(header: PngHeader, palette: Uint8Array | undefined): Expansion {
  const { colour, depth } = header;
  if (colour === 'palette') {
    if (!palette) throw new OperatorError('IMAGE_CORRUPT', 'the PNG has no palette');
    return { channels: 3, row: expandPalette(palette, depth) };
  }
  if (colour === 'grey' && depth < 8) return { channels: 1, row: expandSmallGrey(depth) };
  if (colour === 'grey' && depth === 16) return { channels: 1, row: clipGrey16(0) };
  // Of 16 bits Pillow takes the upper 8, except for grey without alpha; of grey with alpha it drops the alpha.
  if (colour === 'grey+alpha')
    return { channels: 1, row: pick(1, depth === 16 ? 4 : 2, depth >> 3) };
  const channels = colour === 'grey' ? 1 : colour === 'rgb' ? 3 : 4;
  return { channels, row: depth === 16 ? pick(channels, 2 * channels, 2) : undefined };
}
