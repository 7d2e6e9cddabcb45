/**
 * libjpeg prints its first warning and no other. What it warns of without harm is taken out here beforehand, so that a warning
 * is of damage: odd version numbers and colour codes, and bytes between segments. Bytes behind a scan's last block stay, for
 * nothing but decoding tells them from it; damage in a later scan of such a file is not seen, as it is not by Pillow.
 */
import { endOfScan } from './scans.ts';

/**
 * @param components - how many the frame header has
 * @returns a file with the same picture, or the same one if there is nothing odd in it
 */
export function withoutOddities(jpeg: Uint8Array, components: number): Uint8Array {
  const pieces = [jpeg.subarray(0, 2)];
  let odd = false;
  let sequential = true;
  for (let offset = 2; ; ) {
    const start = jpeg.indexOf(0xff, offset);
    odd ||= start > offset;
    const marker = start < 0 ? undefined : jpeg[start + 1];
    if (marker === undefined) break;
    offset = start + 1;
    if (marker === 0xff) continue;
    offset += 1;
    if (marker === 0xd9) pieces.push(jpeg.subarray(start, offset));
    if (marker === 0xd9) break;
    odd ||= marker === 0;
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    const length = ((jpeg[offset] ?? 0) << 8) | (jpeg[offset + 1] ?? 0);
    if (marker !== 0xd8) offset += length;
    const segment = jpeg.subarray(start, offset);
    if (marker === 0xc2) sequential = false;
    const plain = plainSegment(segment, marker, components, sequential);
    odd ||= plain !== segment;
    pieces.push(plain);
    if (marker !== 0xda) continue;
    const end = endOfScan(jpeg, offset);
    pieces.push(jpeg.subarray(offset, end));
    offset = end;
  }
  return odd ? Buffer.concat(pieces) : jpeg;
}

/** @param segment - with its marker and its length */
function plainSegment(
  segment: Uint8Array,
  marker: number,
  components: number,
  sequential: boolean,
): Uint8Array {
  const name = Buffer.from(segment.subarray(4, 9)).toString('latin1');
  // JFIF's version: anything but 1 is warned of.
  if (marker === 0xe0 && name === 'JFIF\0' && segment[9] !== 1) return changed(segment, 9, [1]);
  if (marker === 0xee && name === 'Adobe') {
    // What is not known is taken for what is usual.
    const usual = components === 4 ? 2 : 1;
    if (segment[15] !== 0 && segment[15] !== usual) return changed(segment, 15, [usual]);
  }
  // Which coefficients a scan brings, and which of their bits, a sequential one need not say.
  const from = segment.length - 3;
  if (marker === 0xda && sequential && segment.subarray(from).join() !== '0,63,0')
    return changed(segment, from, [0, 63, 0]);
  return segment;
}

function changed(segment: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  if (at < 0 || at + values.length > segment.length) return segment;
  const copy = segment.slice();
  copy.set(values, at);
  return copy;
}
