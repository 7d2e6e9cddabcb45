/** JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK, as Pillow reads them. */
import { OperatorError } from '../../errors.ts';
import { tooMuchMemory } from '../limits.ts';
import type { ImageDecoder, Pixels } from '../pixels.ts';
import { cmykToRgb } from './cmyk.ts';
import { createJpegCodec, type JpegCodec } from './codec.ts';
import { keepComponents } from './component-filter.ts';
import { fillHalfHeight, halfHeightComponents } from './half-height.ts';
import { inspectJpeg, type JpegHeader, readJpegHeader } from './header.ts';
import { withoutOddities } from './plain-copy.ts';
import { readScans, type Scans } from './scans.ts';
import { yccToRgb } from './ycc.ts';

/** Typical progressive files have about 10. See `refuseFloods`. */
const maxScans = 100;

/** As many as 300 MB take in segments of the full length. See `refuseFloods`. */
const maxSegments = 5000;

export async function createJpegDecoder(): Promise<ImageDecoder> {
  const codec = await createJpegCodec();
  return {
    name: 'JPEG',
    inspect: inspectJpeg,
    async decode(bytes): Promise<Pixels> {
      const header = readJpegHeader(bytes);
      const scans = readScans(bytes);
      refuseFloods(scans);
      // Pillow's libjpeg-turbo guesses at what is missing, from more neighbours than the codec does.
      if (scans.ended && !scans.complete)
        throw new OperatorError(
          'IMAGE_TRUNCATED',
          'the scans of the progressive JPEG end before its picture is complete',
        );
      const file = withoutOddities(bytes, header.components);
      if (header.components === 4) {
        // The codec turns everything into RGBA and knows no way from four components, but "RGB" passes through untouched:
        // so the file is split, without loss, into one with the first three components and one that holds the fourth.
        const colours = await decodeSamples(codec, file, header, [0, 1, 2]);
        const black = await decodeSamples(codec, file, header, [0, 1, 3]);
        // libjpeg's rule: without Adobe's marker, or with transform 0, the components are CMYK as they are.
        return cmykToRgb(colours, black, (header.adobeTransform ?? 0) !== 0);
      }
      if (halfHeightComponents(header.sampling).length === 0) return decodeWith(codec, file);
      const pixels = await decodeSamples(codec, file, header, [0, 1, 2]);
      if (header.ycc) yccToRgb(pixels.data, pixels.channels);
      return pixels;
    },
  };
}

/** @returns three components' samples as they are, in place of red, green and blue */
async function decodeSamples(
  codec: JpegCodec,
  bytes: Uint8Array,
  header: JpegHeader,
  keep: readonly number[],
): Promise<Pixels> {
  const low = halfHeightComponents(header.sampling).filter((component) => keep.includes(component));
  const lowFile = low.length > 0 ? keepComponents(bytes, low) : undefined;
  const pixels = await decodeWith(codec, keepComponents(bytes, keep));
  if (!lowFile) return pixels;
  const half = await decodeWith(codec, lowFile);
  for (const [i, component] of low.entries())
    fillHalfHeight(half, i, pixels, keep.indexOf(component));
  return pixels;
}

async function decodeWith(codec: JpegCodec, bytes: Uint8Array): Promise<Pixels> {
  const scans = readScans(bytes);
  const { decodedBytes } = inspectJpeg(bytes);
  const { image, messages, starved } = await codec.decode(bytes, decodedBytes);
  if (!image) throw starved ? tooMuchMemory('JPEG', decodedBytes) : explain(messages);
  for (const warning of messages) refuseDamage(warning, scans);
  return { width: image.width, height: image.height, channels: 4, data: image.data };
}

/**
 * libjpeg goes on after damage, filling with grey, and only prints a warning. What is harmless passes, as it does in
 * Pillow: bytes between segments, odd version numbers, colour profiles that do not add up. So does damage that makes sense as
 * other coefficients; where those are out of range the codec's pixels are not Pillow's.
 */
function refuseDamage(warning: string, { ended }: Scans): void {
  if (warning.startsWith('Premature end of JPEG file'))
    throw new OperatorError('IMAGE_TRUNCATED', 'the JPEG ends before its image data does');
  if (warning.includes('premature end of data segment'))
    throw new OperatorError(
      'IMAGE_TRUNCATED',
      'a scan of the JPEG ends before its image data does',
    );
  if (/bad Huffman code|instead of RST|inconsistent progression/i.test(warning))
    throw new OperatorError('IMAGE_CORRUPT', `the JPEG is damaged: ${warning}`);
  // Only the first warning is printed, and a harmless one may hide the end of the file.
  if (!ended) throw new OperatorError('IMAGE_TRUNCATED', 'the JPEG has no end-of-image marker');
}

function explain(messages: readonly string[]): OperatorError {
  const message = messages.join('; ');
  if (/Premature end|Empty input/i.test(message))
    return new OperatorError('IMAGE_TRUNCATED', 'the JPEG ends before its image data begins');
  if (/insufficient memory|OOM/i.test(message))
    return new OperatorError('OVERLOADED', 'there is not enough memory to decode the image');
  if (/not implemented|not supported|Unsupported|too large for interleaved/i.test(message))
    return new OperatorError('IMAGE_UNSUPPORTED', `this form of JPEG is not supported: ${message}`);
  return new OperatorError('IMAGE_CORRUPT', `the JPEG cannot be decoded: ${message}`);
}

/**
 * Every scan is a pass over the whole image, however few bytes it has, so a small file can ask for hours
 * (libjpeg-turbo.org, "Two Issues with the JPEG Standard"); and WebAssembly, once running, cannot be interrupted. The codec
 * keeps each APP1 segment in a list that it walks through for the next one: 40,000 empty ones, 160 kB, take seconds.
 */
function refuseFloods({ count, segments }: Scans): void {
  if (count > maxScans)
    throw new OperatorError(
      'IMAGE_UNSUPPORTED',
      `the JPEG has ${count} scans; at most ${maxScans} are allowed`,
    );
  if (segments > maxSegments)
    throw new OperatorError(
      'IMAGE_UNSUPPORTED',
      `the JPEG has ${segments} segments; at most ${maxSegments} are allowed`,
    );
}
