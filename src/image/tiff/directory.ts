/** TIFF's first image file directory (TIFF 6.0, section 2), as far as plain pictures need it. */
import { OperatorError } from '../../errors.ts';

export interface TiffDirectory {
  readonly width: number;
  readonly height: number;
  /** 0 white is zero, 1 black is zero, 2 RGB, 3 palette. */
  readonly photometric: 0 | 1 | 2 | 3;
  readonly samples: number;
  readonly compression: number;
  readonly predictor: number;
  readonly rowsPerStrip: number;
  readonly stripOffsets: readonly number[];
  readonly stripBytes: readonly number[];
  /** All reds, then all greens, then all blues, of 16 bits each. */
  readonly palette: readonly number[];
}

export const compressions: Readonly<Record<number, string>> = {
  1: 'none',
  5: 'LZW',
  8: 'Deflate',
  32773: 'PackBits',
  32946: 'Deflate',
};

const truncated = (): OperatorError =>
  new OperatorError('IMAGE_TRUNCATED', 'the TIFF ends within its header');

/** @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT, IMAGE_UNSUPPORTED */
export function readTiffDirectory(bytes: Uint8Array): TiffDirectory {
  const tag = readEntries(bytes);
  const one = (number: number, otherwise: number): number => tag(number)[0] ?? otherwise;
  const width = one(256, 0);
  const height = one(257, 0);
  if (width < 1 || height < 1)
    throw new OperatorError('IMAGE_CORRUPT', `a TIFF of ${width}×${height} pixels`);
  const photometric = one(262, -1);
  const samples = one(277, 1);
  const depths = tag(258);
  const alpha = one(338, 0);
  refuse(photometric < 0 || photometric > 3, `photometric interpretation ${photometric}`);
  refuse(
    depths.length === 0 || depths.some((depth) => depth !== 8),
    `${depths[0] ?? 1} bits per sample`,
  );
  refuse(one(339, 1) !== 1, `sample format ${one(339, 1)}`);
  refuse(
    photometric === 2 ? samples < 3 || samples > 4 : samples !== 1,
    `${samples} samples per pixel`,
  );
  refuse(alpha === 1, 'premultiplied alpha');
  refuse(one(284, 1) !== 1, 'separate planes');
  refuse(one(274, 1) !== 1, `orientation ${one(274, 1)}`);
  refuse(tag(322).length > 0, 'tiles');
  const compression = one(259, 1);
  refuse(!(compression in compressions), `compression ${compression}`);
  const predictor = one(317, 1);
  refuse(predictor !== 1 && predictor !== 2, `predictor ${predictor}`);
  return {
    width,
    height,
    photometric: photometric as TiffDirectory['photometric'],
    samples,
    compression,
    predictor,
    rowsPerStrip: Math.min(Math.max(one(278, height), 1), height),
    stripOffsets: tag(273),
    stripBytes: tag(279),
    palette: tag(320),
  };
}

function refuse(condition: boolean, what: string): void {
  if (condition)
    throw new OperatorError(
      'IMAGE_UNSUPPORTED',
      `TIFF with ${what} is not supported; 8-bit grey, palette and RGB in strips are`,
    );
}

/** The values of a tag; none if it is not there. */
type TagReader = (number: number) => number[];

function readEntries(bytes: Uint8Array): TagReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = bytes[0] === 0x49;
  const need = (end: number): void => {
    if (end > bytes.length) throw truncated();
  };
  need(8);
  const start = view.getUint32(4, little);
  need(start + 2);
  const count = view.getUint16(start, little);
  need(start + 2 + 12 * count);
  const entries = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const entry = start + 2 + 12 * i;
    entries.set(view.getUint16(entry, little), entry);
  }
  return (number) => {
    const entry = entries.get(number);
    if (entry === undefined) return [];
    // BYTE, SHORT and LONG: nothing that matters here is stored as anything else.
    const size = { 1: 1, 3: 2, 4: 4 }[view.getUint16(entry + 2, little)];
    if (!size) return [];
    const values = view.getUint32(entry + 4, little);
    const at = values * size <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    need(at + values * size);
    return Array.from({ length: values }, (_, i) => {
      const offset = at + i * size;
      if (size === 1) return view.getUint8(offset);
      return size === 2 ? view.getUint16(offset, little) : view.getUint32(offset, little);
    });
  };
}
