/** Pictures made by code, as PNG files. */
import { encodePng, Image } from 'image-js';

export interface PictureFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

type Paint = (x: number, y: number) => readonly [number, number, number];

/** A PNG file of 64×48 pixels. */
export function picture(name: string, paint: Paint): PictureFile {
  const [width, height] = [64, 48];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(paint(x, y), (y * width + x) * 3);
  const image = new Image(width, height, { data, colorModel: 'RGB' });
  return { name, mimeType: 'image/png', buffer: Buffer.from(encodePng(image)) };
}

/** Two that are alike, and one that is not. */
export const warm = picture('warm.png', (x, y) => [200 + (x >> 2), 90 + y, 40]);
export const warmer = picture('warmer.png', (x, y) => [210 + (x >> 2), 80 + y, 30]);
export const chequered = picture('chequered.png', (x, y) =>
  ((x >> 3) + (y >> 3)) % 2 === 0 ? [20, 60, 220] : [240, 250, 255],
);

export const notAPicture: PictureFile = {
  name: 'notes.txt',
  mimeType: 'text/plain',
  buffer: Buffer.from('not a picture'),
};
