/** CMYK to RGB by Pillow's rule (cmyk2rgb, Convert.c), in integers. */

/**
 * @param light - what black ink lets through: 255 where there is none
 * @param ink - cyan, magenta or yellow: 255 where it covers all
 * @returns red, green or blue
 */
export function withoutInk(light: number, ink: number): number {
  return clamp(light - scaled(ink, light));
}

/** a · b / 255, rounded: Pillow's MULDIV255. */
function scaled(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

export const clamp = (value: number): number => Math.min(Math.max(value, 0), 255);
