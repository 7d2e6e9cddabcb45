/** YCbCr to RGB as libjpeg has it (build_ycc_rgb_table, jdcolor.c): 16-bit fixed point, rounded. */
import { clamp } from '../ink.ts';

/** @param cr - 0 to 255 */
export const redOf = (luma: number, cr: number): number =>
  clamp(luma + ((91881 * (cr - 128) + 32768) >> 16));

export const greenOf = (luma: number, cb: number, cr: number): number =>
  clamp(luma + ((-22554 * (cb - 128) - 46802 * (cr - 128) + 32768) >> 16));

/** @param cb - 0 to 255 */
export const blueOf = (luma: number, cb: number): number =>
  clamp(luma + ((116130 * (cb - 128) + 32768) >> 16));

/** Turns pixels whose first three samples are Y, Cb and Cr into RGB, in place. */
export function yccToRgb(data: Uint8Array | Uint8ClampedArray, step: number): void {
  for (let i = 0; i < data.length; i += step) {
    const luma = data[i] as number;
    const cb = data[i + 1] as number;
    const cr = data[i + 2] as number;
    data[i] = redOf(luma, cr);
    data[i + 1] = greenOf(luma, cb, cr);
    data[i + 2] = blueOf(luma, cb);
  }
}
