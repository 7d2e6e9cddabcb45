/** Four-component JPEG to RGB, by the rules of libjpeg (YCCK to CMYK) and of Pillow (CMYK to RGB). */
import { withoutInk } from '../ink.ts';
import type { Pixels } from '../pixels.ts';
import { blueOf, greenOf, redOf } from './ycc.ts';

/**
 * @param colours - RGBA whose first three samples are the file's first three components
 * @param black - RGBA whose third sample is the file's fourth component
 * @param ycck - whether the first three are YCbCr, by Adobe's marker
 */
export function cmykToRgb(colours: Pixels, black: Pixels, ycck: boolean): Pixels {
  const { data } = colours;
  const rgb = new Uint8Array(colours.width * colours.height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    let cyan = data[from] as number;
    let magenta = data[from + 1] as number;
    let yellow = data[from + 2] as number;
    if (ycck) {
      // libjpeg's ycck_cmyk_convert: YCbCr to RGB, then inverted.
      const luma = cyan;
      const cb = magenta;
      const cr = yellow;
      cyan = 255 - redOf(luma, cr);
      magenta = 255 - greenOf(luma, cb, cr);
      yellow = 255 - blueOf(luma, cb);
    }
    // Pillow takes every such file to be inverted, as Adobe writes them: 255 is no ink.
    const light = black.data[from + 2] as number;
    rgb[to] = withoutInk(light, 255 - cyan);
    rgb[to + 1] = withoutInk(light, 255 - magenta);
    rgb[to + 2] = withoutInk(light, 255 - yellow);
  }
  return { width: colours.width, height: colours.height, channels: 3, data: rgb };
}
