/** TIFF's orientation, which Pillow applies (unlike that of EXIF in other formats). */
import type { Pixels } from '../pixels.ts';

/** @param orientation - 1 to 8; from 5 on rows and columns change places */
export function orient(pixels: Pixels, orientation: number): Pixels {
  if (orientation === 1) return pixels;
  const { width, height, channels, data } = pixels;
  const turned = orientation > 4;
  // Where the stored picture's columns and rows begin at their far end.
  const mirrored = [2, 3, 7, 8].includes(orientation);
  const upsideDown = [3, 4, 6, 7].includes(orientation);
  const out = new Uint8Array(data.length);
  const [outWidth, outHeight] = turned ? [height, width] : [width, height];
  // How far apart in the stored picture neighbours in a stored row and in a stored column are, in the order in which they come.
  const alongRow = (mirrored ? -1 : 1) * channels;
  const alongColumn = (upsideDown ? -1 : 1) * channels * width;
  const [stepX, stepY] = turned ? [alongColumn, alongRow] : [alongRow, alongColumn];
  const first = (upsideDown ? (height - 1) * width : 0) + (mirrored ? width - 1 : 0);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = first * channels + y * stepY;
    for (let x = 0; x < outWidth; x++, from += stepX)
      for (let c = 0; c < channels; c++) out[to++] = data[from + c] as number;
  }
  return { width: outWidth, height: outHeight, channels, data: out };
}
