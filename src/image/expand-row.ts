/** Rows as PNG and TIFF store them, turned into samples of 8 bits as Pillow has them. */
import { withoutInk } from './ink.ts';

/** Turns `count` stored pixels, those at `rows[from]`, into samples of 8 bits, from `out[to]` on. */
export type ExpandRow = (
  rows: Uint8Array,
  from: number,
  count: number,
  out: Uint8Array,
  to: number,
) => void;

/**
 * Indices beyond the palette are black, as in Pillow since its palettes begin empty.
 * @param palette - RGB triples, 256 at most
 */
export function expandPalette(palette: Uint8Array, depth: number): ExpandRow {
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

/** Grey of 1, 2 or 4 bits. */
export function expandSmallGrey(depth: number): ExpandRow {
  const mask = (1 << depth) - 1;
  const scale = 255 / mask;
  return (rows, from, count, out, to) => {
    for (let i = 0, bit = 0; i < count; i++, bit += depth)
      out[to + i] =
        (((rows[from + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & mask) * scale;
  };
}

/**
 * Pillow reads 16-bit grey as mode I;16, and its conversion to RGB clips at 255 instead of scaling (I16_RGB, Convert.c).
 * @param upper - which of the two bytes is the upper one
 */
export function clipGrey16(upper: 0 | 1): ExpandRow {
  return (rows, from, count, out, to) => {
    for (let i = 0; i < count; i++)
      out[to + i] =
        rows[from + 2 * i + upper] === 0 ? (rows[from + 2 * i + 1 - upper] as number) : 255;
  };
}

/** Where the stored samples are what is wanted. */
export function copySamples(channels: number): ExpandRow {
  return (rows, from, count, out, to) => out.set(rows.subarray(from, from + count * channels), to);
}

/**
 * One byte each of a pixel's first samples.
 * @param pixel - bytes of a pixel
 * @param sample - bytes of a sample
 * @param byte - which byte of a sample
 */
export function pick(channels: number, pixel: number, sample: number, byte = 0): ExpandRow {
  return (rows, from, count, out, to) => {
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < channels; c++)
        out[to + i * channels + c] = rows[from + i * pixel + c * sample + byte] as number;
    }
  };
}

/** The same for CMYK, whose samples are ink. */
export function expandCmyk(pixel: number, sample: number, byte = 0): ExpandRow {
  return (rows, from, count, out, to) => {
    for (let i = 0, at = from + byte; i < count; i++, at += pixel) {
      const light = 255 - (rows[at + 3 * sample] as number);
      for (let c = 0; c < 3; c++)
        out[to + 3 * i + c] = withoutInk(light, rows[at + c * sample] as number);
    }
  };
}
