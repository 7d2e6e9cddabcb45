/** Stored PNG samples to 8-bit grey or RGB, by Pillow's rules. */
import { OperatorError } from '../../errors.ts';
import type { PngHeader } from './header.ts';

/** Writes `count` pixels, beginning at byte `from` of `rows`, to `out` from `to` on. */
export type ExpandRow = (
  rows: Uint8Array,
  from: number,
  count: number,
  out: Uint8Array,
  to: number,
) => void;

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
  if (colour === 'grey' && depth === 16) return { channels: 1, row: clipGrey16 };
  // Of 16 bits Pillow takes the upper 8, except for grey without alpha; of grey with alpha it drops the alpha.
  if (colour === 'grey+alpha') return { channels: 1, row: pick(1, depth === 16 ? 4 : 2) };
  const channels = colour === 'grey' ? 1 : colour === 'rgb' ? 3 : 4;
  return { channels, row: depth === 16 ? pick(channels, 2 * channels) : undefined };
}

/** Indices beyond the palette are black, as in Pillow since its palettes begin empty. */
function expandPalette(palette: Uint8Array, depth: number): ExpandRow {
  const colours = new Uint8Array(768);
  colours.set(palette);
  const mask = (1 << depth) - 1;
  return (rows, from, count, out, to) => {
    for (let i = 0, bit = 0; i < count; i++, bit += depth) {
      const index = ((rows[from + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & mask;
      out[to + 3 * i] = colours[3 * index] as number;
      out[to + 3 * i + 1] = colours[3 * index + 1] as number;
      out[to + 3 * i + 2] = colours[3 * index + 2] as number;
    }
  };
}

function expandSmallGrey(depth: number): ExpandRow {
  const mask = (1 << depth) - 1;
  const scale = 255 / mask;
  return (rows, from, count, out, to) => {
    for (let i = 0, bit = 0; i < count; i++, bit += depth)
      out[to + i] =
        (((rows[from + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & mask) * scale;
  };
}

/** Pillow reads 16-bit grey as mode I;16, and its conversion to RGB clips at 255 instead of scaling (I16_RGB, Convert.c). */
const clipGrey16: ExpandRow = (rows, from, count, out, to) => {
  for (let i = 0; i < count; i++)
    out[to + i] = rows[from + 2 * i] === 0 ? (rows[from + 2 * i + 1] as number) : 255;
};

/** The first `channels` samples' upper bytes of pixels of `stride` bytes. */
function pick(channels: number, stride: number): ExpandRow {
  const sample = channels === 1 ? 0 : stride / channels;
  return (rows, from, count, out, to) => {
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < channels; c++)
        out[to + i * channels + c] = rows[from + i * stride + c * sample] as number;
    }
  };
}
