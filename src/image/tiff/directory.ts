/** What kind of picture a TIFF's first directory describes, as far as it is supported. */
import { OperatorError } from '../../errors.ts';
import { readTiffTags, type TiffTags } from './tags.ts';

export interface TiffDirectory {
  /** As stored; `orientation` may turn it. */
  readonly width: number;
  readonly height: number;
  readonly littleEndian: boolean;
  readonly colour: keyof typeof colourSamples;
  /** Bits of a sample: 1, 2, 4, 8, 16. */
  readonly depth: number;
  /** Of a pixel, those that are not looked at (alpha) included. */
  readonly samples: number;
  readonly compression: Compression;
  /** Each sample is stored as its difference from the pixel to its left. */
  readonly differences: boolean;
  /** The bits of each byte are stored from the lowest to the highest (FillOrder 2). */
  readonly reversed: boolean;
  /** Each sample is stored as a plane of its own. */
  readonly separate: boolean;
  /** 1 to 8: where the first row and the first column are (TIFF 6.0, section 8). */
  readonly orientation: number;
  readonly blocks: TiffBlocks;
  /** RGB triples. @throws OperatorError IMAGE_TRUNCATED */
  readPalette(): Uint8Array;
}

/** The strips or tiles. Strips are tiles as wide as the image. */
export interface TiffBlocks {
  readonly width: number;
  readonly height: number;
  /** How many lie side by side. */
  readonly across: number;
  /** Where block number `index` begins in the file; blocks of separate planes follow one another plane by plane. */
  offset(index: number): number;
  /** How many bytes it has, compressed. */
  bytes(index: number): number;
}

export type Compression = 'none' | 'LZW' | 'Deflate' | 'PackBits';

const compressions: Readonly<Record<number, Compression>> = {
  1: 'none',
  5: 'LZW',
  8: 'Deflate',
  32773: 'PackBits',
  32946: 'Deflate',
};

/** Samples of a pixel without the extra ones. */
const colourSamples = { 'white is zero': 1, grey: 1, rgb: 3, palette: 1, cmyk: 4 } as const;

const photometrics: Readonly<Record<number, TiffDirectory['colour']>> = {
  0: 'white is zero',
  1: 'grey',
  2: 'rgb',
  3: 'palette',
  5: 'cmyk',
};

/**
 * Each block costs some microseconds however small it is, and a file can name one with a single byte. An image of 100
 * megapixels in tiles of 32×32 has 97,657.
 */
const maxBlocks = 100_000;

/**
 * What of the tiles sticks out on the right is unpacked as well, for every row, and with Deflate what sticks out below. Of tiles
 * 512 wide it is less than this in any image of up to 131,000 rows. In tiles a million wide, a picture of one column and 1000
 * rows, 55 kB, took 0.6 s, and there may be a hundred times as many rows.
 */
const maxSurplusPixels = 2 ** 26;

/** @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT, IMAGE_UNSUPPORTED */
export function readTiffDirectory(bytes: Uint8Array): TiffDirectory {
  const littleEndian = bytes[0] === 0x49;
  const tags = readTiffTags(bytes, littleEndian);
  const [width, height] = [tags.value(256, 0), tags.value(257, 0)];
  if (width < 1 || height < 1)
    throw new OperatorError('IMAGE_CORRUPT', `a TIFF of ${width}×${height} pixels`);
  const compression = compressions[tags.value(259, 1)];
  if (!compression) throw unsupported(`compression ${tags.value(259, 1)}`);
  const form = readForm(tags);
  const order = tags.value(266, 1);
  if (order !== 1 && order !== 2) throw unsupported(`fill order ${order}`);
  const separate = form.samples > 1 && tags.value(284, 1) === 2;
  if (separate && form.depth < 8) throw unsupported(`planes of ${form.depth} bits per sample`);
  const planes = separate ? form.samples : 1;
  const orientation = tags.value(274, 1);
  return {
    ...form,
    width,
    height,
    littleEndian,
    compression,
    differences: readPredictor(tags, compression, form.depth),
    reversed: order === 2,
    separate,
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    blocks: readBlocks(tags, width, height, planes, compression, bytes.length),
    readPalette: () => readPalette(tags, form.depth),
  };
}

const unsupported = (what: string): OperatorError =>
  new OperatorError(
    'IMAGE_UNSUPPORTED',
    `TIFF with ${what} is not supported; grey, palette, RGB and CMYK are, uncompressed or with LZW, Deflate or PackBits`,
  );

/**
 * The forms are those that Pillow knows (OPEN_INFO, TiffImagePlugin.py), and some that it refuses though they say all that is
 * needed: extra samples that ExtraSamples does not describe as Pillow's table wants it.
 */
function readForm(tags: TiffTags): Pick<TiffDirectory, 'colour' | 'depth' | 'samples'> {
  const photometric = tags.value(262, 0);
  const colour = photometrics[photometric];
  if (!colour) throw unsupported(`photometric interpretation ${photometric}`);
  const samples = tags.value(277, 1);
  const extra = samples - colourSamples[colour];
  const alphaAllowed = colour === 'palette' || colour === 'white is zero' ? 0 : 1;
  if (extra < 0 || extra > (colour === 'rgb' ? 3 : alphaAllowed))
    throw unsupported(`${samples} samples per pixel`);
  if (tags.value(338, 0) === 1) throw unsupported('premultiplied alpha');
  const depth = tags.value(258, 1);
  // One value may stand for all samples.
  for (let i = 0; i < samples; i++) {
    const other = tags.at(258, i) ?? depth;
    if (other !== depth) throw unsupported(`samples of ${depth} and ${other} bits`);
    const format = tags.at(339, i) ?? 1;
    if (format !== 1) throw unsupported(`sample format ${format}`);
  }
  const depths = samples > 1 ? [8, 16] : colour === 'palette' ? [1, 2, 4, 8] : [1, 2, 4, 8, 16];
  const grey = colour === 'grey' && samples > 1;
  if (!depths.includes(depth) || (depth === 16 && (grey || colour === 'white is zero')))
    throw unsupported(`${samples} ${colour} samples of ${depth} bits`);
  return { colour, depth, samples };
}

/** Only LZW and Deflate have a predictor (TIFF 6.0, section 14); libtiff does not look at the tag with any other. */
function readPredictor(tags: TiffTags, compression: Compression, depth: number): boolean {
  if (compression !== 'LZW' && compression !== 'Deflate') return false;
  const predictor = tags.value(317, 1);
  if (predictor === 1) return false;
  if (predictor !== 2 || depth < 8)
    throw unsupported(`predictor ${predictor} for ${depth} bits per sample`);
  return true;
}

function readBlocks(
  tags: TiffTags,
  fullWidth: number,
  fullHeight: number,
  planes: number,
  compression: Compression,
  fileLength: number,
): TiffBlocks {
  const tiled = tags.count(324) > 0;
  const width = tiled ? tags.value(322, 0) : fullWidth;
  const height = tiled
    ? tags.value(323, 0)
    : Math.min(Math.max(tags.value(278, fullHeight), 1), fullHeight);
  if (width < 1 || height < 1)
    throw new OperatorError('IMAGE_CORRUPT', `TIFF tiles of ${width}×${height} pixels`);
  const across = Math.ceil(fullWidth / width);
  const down = Math.ceil(fullHeight / height);
  const count = across * down * planes;
  if (count > maxBlocks)
    throw unsupported(`${count} ${tiled ? 'tiles' : 'strips'} (at most ${maxBlocks} are allowed)`);
  if ((across * width - fullWidth) * fullHeight > maxSurplusPixels)
    throw unsupported(`tiles ${width} pixels wide for ${fullWidth}×${fullHeight} pixels`);
  // No more than the image itself has is no more work than that.
  const below = (down * height - fullHeight) * across * width;
  if (compression === 'Deflate' && below > Math.max(maxSurplusPixels, fullWidth * fullHeight))
    throw unsupported(`tiles ${height} pixels high for ${fullWidth}×${fullHeight} pixels`);
  const [offsets, sizes] = tiled ? [324, 325] : [273, 279];
  return {
    width,
    height,
    across,
    offset: (index) => tags.at(offsets, index) ?? fileLength,
    bytes: (index) => tags.at(sizes, index) ?? fileLength,
  };
}

/** All reds, then all greens, then all blues, of 16 bits each; Pillow takes the upper 8. */
function readPalette(tags: TiffTags, depth: number): Uint8Array {
  const stored = Math.floor(tags.count(320) / 3);
  const colours = Math.min(stored, 1 << depth);
  const palette = new Uint8Array(3 * colours);
  for (let i = 0; i < colours; i++) {
    for (let c = 0; c < 3; c++) palette[3 * i + c] = (tags.at(320, c * stored + i) ?? 0) >> 8;
  }
  return palette;
}
