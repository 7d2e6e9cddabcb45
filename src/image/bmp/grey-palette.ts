/** Palettes that say no more than the indices do; Pillow does not look at them (BmpImagePlugin.py). */

/**
 * Pillow takes such indices for the picture: bits if the palette is black and white, or else bytes, whatever the header says of
 * their size.
 * @param palette - BGR entries of `step` bytes
 * @param width - pixels of a row, stored in `rowLength` bytes
 * @returns the bits of a pixel, whose grey is its value; undefined where the palette is to be used
 */
export function bitsOfGrey(
  palette: Uint8Array,
  step: number,
  width: number,
  rowLength: number,
): 1 | 8 | undefined {
  if (palette.length === 2 * step) return isRamp(palette, step, 255) ? 1 : undefined;
  // Rows too short for bytes Pillow refuses; they are read as they are meant.
  return width <= rowLength && isRamp(palette, step, 1) ? 8 : undefined;
}

/** All greys. @param step - bytes of an entry */
export const greyPalette = (step: number): Uint8Array =>
  Uint8Array.from({ length: 256 * step }, (_, i) => Math.floor(i / step));

/** Whether entry i is the grey i · `rise`. */
function isRamp(palette: Uint8Array, step: number, rise: number): boolean {
  for (let i = 0; i * step < palette.length; i++)
    for (let c = 0; c < 3; c++) if (palette[i * step + c] !== i * rise) return false;
  return true;
}
