/**
 * A JPEG file's markers up to its frame header (ITU-T T.81, annex B): enough to know its size, its kind, and which decoder
 * it needs, without decoding anything.
 */
import { OperatorError } from '../../errors.ts';
import type { ImageHeader } from '../pixels.ts';
import { halfHeightComponents } from './half-height.ts';

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: number;
  /** Of each component, as the frame header has them: horizontal in the upper half of the byte, vertical in the lower. */
  readonly sampling: readonly number[];
  /** Samples of all components together, per pixel: 1.5 for 4:2:0, 3 for 4:4:4. */
  readonly samplesPerPixel: number;
  /** From Adobe's APP14 marker: 0 none, 1 YCbCr, 2 YCCK; undefined without the marker. */
  readonly adobeTransform: number | undefined;
  /** Whether three components are YCbCr, and not RGB. */
  readonly ycc: boolean;
}

/** What the markers before the frame header say of its components' colours. */
interface ColourMarkers {
  jfif: boolean;
  adobeTransform: number | undefined;
}

/** How a frame that is neither baseline, extended nor progressive Huffman is called (T.81 table B.1). */
const unsupportedFrames: Readonly<Record<number, string>> = {
  195: 'lossless',
  197: 'hierarchical',
  198: 'hierarchical',
  199: 'hierarchical',
  201: 'arithmetic-coded',
  202: 'arithmetic-coded',
  203: 'arithmetic-coded',
  205: 'hierarchical',
  206: 'hierarchical',
  207: 'hierarchical',
  247: 'JPEG-LS',
};

const corrupt = (message: string): OperatorError => new OperatorError('IMAGE_CORRUPT', message);
const unsupported = (message: string): OperatorError =>
  new OperatorError('IMAGE_UNSUPPORTED', message);

/** @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT, IMAGE_UNSUPPORTED */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const markers: ColourMarkers = { jfif: false, adobeTransform: undefined };
  let offset = 2; // behind SOI, which the format detection has seen
  for (;;) {
    // As libjpeg does: skip anything up to the next 0xff, and any number of 0xff as fill bytes.
    while (offset < bytes.length && bytes[offset] !== 0xff) offset += 1;
    while (offset < bytes.length && bytes[offset] === 0xff) offset += 1;
    const marker = byteAt(bytes, offset);
    offset += 1;
    if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue; // no length
    if (marker === 0xd9) throw corrupt('the JPEG ends before its frame header');
    if (marker === 0xda) throw corrupt('a JPEG scan comes before the frame header');

    const length = (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1);
    if (length < 2) throw corrupt(`a JPEG marker segment of ${length} bytes`);
    const kind = unsupportedFrames[marker];
    if (kind) throw unsupported(`${kind} JPEG is not supported; baseline and progressive are`);
    if (marker >= 0xc0 && marker <= 0xc2)
      return readFrame(bytes, offset + 2, length - 2, marker === 0xc2, markers);
    if (marker === 0xee && length >= 14 && beginsWith(bytes, offset + 2, 'Adobe'))
      markers.adobeTransform = byteAt(bytes, offset + 13);
    if (marker === 0xe0 && length >= 16 && beginsWith(bytes, offset + 2, 'JFIF\0'))
      markers.jfif = true;
    offset += length;
  }
}

/** Size, and the memory that decoding takes. @throws OperatorError as `readJpegHeader` */
export function inspectJpeg(bytes: Uint8Array): ImageHeader {
  const header = readJpegHeader(bytes);
  const { width, height, components, progressive, samplesPerPixel } = header;
  // As libjpeg decides it: coefficients, 16 bits each, wait for one another if the first scan does not bring them all.
  // Components of half the height are decoded once more, from a file in which one has no scan.
  const again = halfHeightComponents(header.sampling).length > 0;
  const kept = progressive || again || (firstScanComponents(bytes) ?? components) < components;
  // RGBA in the codec's memory and again outside it, and the codec's copies of the file. CMYK is decoded twice, three
  // components at a time, each time from a file of its own, with both results kept until RGB is made of them.
  const [pixel, copies] = components === 4 ? [2 * 8 + 3, 4] : again ? [8 + 4, 4] : [8, 2];
  const perPixel = pixel + samplesPerPixel * (kept ? 2 : 0);
  const decodedBytes = Math.ceil(width * height * perPixel) + copies * bytes.length;
  return { width, height, decodedBytes };
}

/** How many components the first scan has; undefined where it is not among `bytes`. */
function firstScanComponents(bytes: Uint8Array): number | undefined {
  for (let offset = 2; ; ) {
    offset = bytes.indexOf(0xff, offset);
    const marker = offset < 0 ? undefined : bytes[offset + 1];
    if (marker === undefined) return undefined;
    if (marker === 0xda) return bytes[offset + 4];
    if (marker === 0xff) offset += 1;
    else if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9)) offset += 2;
    else offset += 2 + (((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0));
  }
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined)
    throw new OperatorError('IMAGE_TRUNCATED', 'the JPEG ends within its header');
  return byte;
}

function readFrame(
  bytes: Uint8Array,
  start: number,
  length: number,
  progressive: boolean,
  { jfif, adobeTransform }: ColourMarkers,
): JpegHeader {
  const precision = byteAt(bytes, start);
  const height = (byteAt(bytes, start + 1) << 8) | byteAt(bytes, start + 2);
  const width = (byteAt(bytes, start + 3) << 8) | byteAt(bytes, start + 4);
  const components = byteAt(bytes, start + 5);
  if (length < 6 + 3 * components) throw corrupt('the JPEG frame header is too short');
  if (precision !== 8)
    throw unsupported(`JPEG with ${precision} bits per sample is not supported; 8 bits are`);
  if (width === 0) throw corrupt('the JPEG frame header gives a width of 0');
  if (height === 0)
    throw unsupported('JPEG with its height after the first scan (DNL) is not supported');
  if (components !== 1 && components !== 3 && components !== 4)
    throw unsupported(`JPEG with ${components} components is not supported; 1, 3 and 4 are`);

  const sampling: number[] = [];
  let ids = '';
  let area = 0;
  let maxHorizontal = 1;
  let maxVertical = 1;
  for (let i = 0; i < components; i++) {
    const factors = byteAt(bytes, start + 6 + 3 * i + 1);
    const [horizontal, vertical] = [factors >> 4, factors & 15];
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4)
      throw corrupt(`a JPEG sampling factor of ${horizontal}×${vertical}`);
    maxHorizontal = Math.max(maxHorizontal, horizontal);
    maxVertical = Math.max(maxVertical, vertical);
    area += horizontal * vertical;
    sampling.push(factors);
    ids += String.fromCharCode(byteAt(bytes, start + 6 + 3 * i));
  }
  const samplesPerPixel = area / (maxHorizontal * maxVertical);
  // libjpeg's rule (default_decompress_parms, jdapimin.c).
  const ycc = jfif || (adobeTransform === undefined ? ids !== 'RGB' : adobeTransform !== 0);
  const size = { width, height, progressive, components, sampling, samplesPerPixel };
  return { ...size, adobeTransform, ycc };
}

/** Without making a view or text of its own: a file may have a hundred thousand such segments. */
function beginsWith(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
