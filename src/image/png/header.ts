/** PNG's IHDR chunk (PNG specification, third edition, 11.2.1). */
import { crc32 } from 'node:zlib';
import { OperatorError } from '../../errors.ts';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  readonly colour: 'grey' | 'rgb' | 'palette' | 'grey+alpha' | 'rgb+alpha';
  /** Samples per pixel as stored. */
  readonly samples: number;
  readonly interlaced: boolean;
}

const colourTypes = {
  0: { colour: 'grey', samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { colour: 'rgb', samples: 3, depths: [8, 16] },
  3: { colour: 'palette', samples: 1, depths: [1, 2, 4, 8] },
  4: { colour: 'grey+alpha', samples: 2, depths: [8, 16] },
  6: { colour: 'rgb+alpha', samples: 4, depths: [8, 16] },
} as const;

const signatureLength = 8;

/** @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const start = signatureLength + 8;
  if (bytes.length < start + 17)
    throw new OperatorError('IMAGE_TRUNCATED', 'the PNG ends within its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const corrupt = (message: string): OperatorError => new OperatorError('IMAGE_CORRUPT', message);
  if (view.getUint32(signatureLength) !== 13 || view.getUint32(signatureLength + 4) !== 0x49484452)
    throw corrupt('the PNG does not begin with an IHDR chunk');
  if (crc32(bytes.subarray(start - 4, start + 13)) !== view.getUint32(start + 13))
    throw corrupt("the checksum of the PNG's IHDR chunk is wrong");

  const [width, height] = [view.getUint32(start), view.getUint32(start + 4)];
  const [depth, type] = [view.getUint8(start + 8), view.getUint8(start + 9)];
  const kind = colourTypes[type as keyof typeof colourTypes];
  if (width === 0 || height === 0) throw corrupt(`a PNG of ${width}×${height} pixels`);
  if (!kind || !(kind.depths as readonly number[]).includes(depth))
    throw corrupt(`PNG colour type ${type} with ${depth} bits per sample does not exist`);
  // Pillow does not look at the compression method, and takes any interlace method but 0 for Adam7.
  if (view.getUint8(start + 11) !== 0) throw corrupt('an unknown PNG filter method');
  const interlaced = view.getUint8(start + 12) !== 0;
  const { colour, samples } = kind;
  return { width, height, depth, colour, samples, interlaced };
}

/** Bytes of a row of `width` pixels, without the filter byte. */
export function rowBytes(header: PngHeader, width: number): number {
  return Math.ceil((width * header.samples * header.depth) / 8);
}
