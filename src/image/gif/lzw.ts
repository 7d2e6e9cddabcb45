/** GIF's variant of LZW (GIF89a specification, appendix F). */
import { OperatorError } from '../../errors.ts';

const maxCodes = 4096;

/**
 * @param data - the image's data blocks, put together
 * @param minimumSize - bits of a pixel, 2 to 8 (1 occurs)
 * @param count - pixels wanted; what comes after them is not looked at
 * @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT
 */
export function decodeGifLzw(data: Uint8Array, minimumSize: number, count: number): Uint8Array {
  const clear = 1 << minimumSize;
  const end = clear + 1;
  // A code stands for a string: that of its prefix, and one pixel more.
  const prefix = new Uint16Array(maxCodes);
  const last = new Uint8Array(maxCodes);
  const lengths = new Uint16Array(maxCodes);
  for (let i = 0; i < clear; i++) {
    last[i] = i;
    lengths[i] = 1;
  }
  const out = new Uint8Array(count);
  let written = 0;
  let size = minimumSize + 1;
  let next = end + 1;
  let previous = -1;
  let held = 0;
  let available = 0;
  let offset = 0;
  while (written < count) {
    while (available < size && offset < data.length) {
      held |= (data[offset++] as number) << available;
      available += 8;
    }
    const code = available < size ? end : held & ((1 << size) - 1);
    held >>>= size;
    available -= size;
    if (code === end)
      throw new OperatorError('IMAGE_TRUNCATED', 'the GIF ends before its image data does');
    if (code === clear) {
      size = minimumSize + 1;
      next = end + 1;
      previous = -1;
      continue;
    }
    // A code may be the one that is about to be defined; nothing beyond that.
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > end))
      throw new OperatorError('IMAGE_CORRUPT', "the GIF's image data is damaged");
    const known = code === next ? previous : code;
    const length = (lengths[known] as number) + (code === next ? 1 : 0);
    // The string is written from its end; its first pixel is known only then.
    let walk = known;
    for (let at = written + (lengths[known] as number) - 1; at >= written; at--) {
      if (at < count) out[at] = last[walk] as number;
      if (at > written) walk = prefix[walk] as number;
    }
    const first = last[walk] as number;
    if (code === next && written + length - 1 < count) out[written + length - 1] = first;
    written += length;
    if (previous >= 0 && next < maxCodes) {
      prefix[next] = previous;
      last[next] = first;
      lengths[next] = (lengths[previous] as number) + 1;
      next += 1;
      if (next === 1 << size && size < 12) size += 1;
    }
    previous = code;
  }
  return out;
}
