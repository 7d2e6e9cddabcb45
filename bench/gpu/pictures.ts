/** JPEGs made by code that take about as long to decode as photographs of their size. */
import { readFileSync } from 'node:fs';
import encodeJpeg, { init } from '@jsquash/jpeg/encode.js';
import { deadLeaves } from '../../model/quantize/dead-leaves.ts';
// Embedded where this is compiled; from the sources it is the file's path.
import encoderPath from '../../node_modules/@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm' with {
  type: 'file',
};

export const pictureSize = { width: 640, height: 480 };
const quality = 85;

/** @returns as many different JPEGs, 4:2:0 */
export async function jpegs(count: number): Promise<Buffer[]> {
  await init(new WebAssembly.Module(readFileSync(encoderPath)));
  const made: Buffer[] = [];
  for (let seed = 1; seed <= count; seed++) {
    const picture = { ...pictureSize, data: paint(seed) } as unknown as ImageData;
    const options = { quality, auto_subsample: false, chroma_subsample: 2 };
    made.push(Buffer.from(await encodeJpeg(picture, options)));
  }
  return made;
}

/** RGBA: the picture of dead leaves, mirrored at its edges to fill the size. */
function paint(seed: number): Uint8ClampedArray {
  const { width: side, data } = deadLeaves(seed);
  const { width, height } = pictureSize;
  const mirrored = (at: number): number => (at < side ? at : 2 * side - 1 - at);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 3 * (mirrored(y) * side + mirrored(x));
      rgba.set(data.subarray(from, from + 3), 4 * (y * width + x));
    }
  return rgba;
}
