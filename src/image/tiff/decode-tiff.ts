/** TIFF: grey, palette, RGB and CMYK in strips or tiles, as Pillow reads them; the first page only. */
import {
  clipGrey16,
  copySamples,
  type ExpandRow,
  expandCmyk,
  expandPalette,
  expandSmallGrey,
  pick,
} from '../expand-row.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { readTiffDirectory, type TiffDirectory } from './directory.ts';
import { orient } from './orient.ts';
import { blockRowBytes, readBlock } from './read-block.ts';

export const tiffDecoder: ImageDecoder = {
  name: 'TIFF',
  inspect(bytes) {
    const directory = readTiffDirectory(bytes);
    const { width, height, samples, separate, compression, orientation, blocks } = directory;
    // A block as it is unpacked, in pieces and put together, its planes once more; the samples as they are wanted.
    // zlib knows no end but that of its stream: a tile is unpacked whole, however few of its rows are wanted.
    const rows = compression === 'Deflate' ? blocks.height : Math.min(blocks.height, height);
    const block = blockRowBytes(directory, samples) * rows;
    const samplesOut = channelsOf(directory) * width * height;
    const decodedBytes = (separate ? 3 : 2) * block + (orientation > 1 ? 2 : 1) * samplesOut;
    // As it comes out: rows and columns change places from 5 on.
    const [outWidth, outHeight] = orientation > 4 ? [height, width] : [width, height];
    return { width: outWidth, height: outHeight, decodedBytes };
  },
  decode(bytes): Pixels {
    const directory = readTiffDirectory(bytes);
    const { width, height, colour, samples, orientation, blocks } = directory;
    const channels = channelsOf(directory);
    const data = new Uint8Array(width * height * channels);
    const expand = chooseExpansion(directory);
    const rowBytes = blockRowBytes(directory, samples);
    const gapless = blocks.width === width && rowBytes * 8 === width * samples * directory.depth;
    for (let top = 0, index = 0; top < height; top += blocks.height) {
      const rows = Math.min(blocks.height, height - top);
      for (let left = 0; left < width; left += blocks.width) {
        const block = readBlock(bytes, directory, index++, rows);
        const count = Math.min(blocks.width, width - left);
        // Rows without a gap are one long row: there may be a hundred million of one pixel each.
        if (gapless) expand(block, 0, rows * width, data, top * width * channels);
        else
          for (let y = 0; y < rows; y++)
            expand(block, y * rowBytes, count, data, ((top + y) * width + left) * channels);
      }
    }
    if (colour === 'white is zero')
      for (let i = 0; i < data.length; i++) data[i] = 255 - (data[i] as number);
    return orient({ width, height, channels, data }, orientation);
  },
};

const channelsOf = ({ colour, samples }: TiffDirectory): 1 | 3 | 4 =>
  colour === 'grey' || colour === 'white is zero' ? 1 : colour === 'rgb' && samples === 4 ? 4 : 3;

/** Of 16 bits Pillow takes the upper 8, except for grey, which it clips; alpha is dropped. */
function chooseExpansion(directory: TiffDirectory): ExpandRow {
  const { colour, depth, samples, littleEndian } = directory;
  if (colour === 'palette') return expandPalette(directory.readPalette(), depth);
  if (depth < 8) return expandSmallGrey(depth);
  const sample = depth / 8;
  const upper = depth === 16 && littleEndian ? 1 : 0;
  if (colour === 'cmyk') return expandCmyk(samples * sample, sample, upper);
  if (depth === 16 && samples === 1) return clipGrey16(upper);
  if (depth === 8 && samples === channelsOf(directory)) return copySamples(samples);
  return pick(channelsOf(directory), samples * sample, sample, upper);
}
