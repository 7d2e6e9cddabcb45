/** The first image file directory's entries (TIFF 6.0, section 2), read a value at a time: a count may be anything. */
import { OperatorError } from '../../errors.ts';

export interface TiffTags {
  /** How many values a tag has, as the file says; 0 if it is not there. */
  count(tag: number): number;
  /** @returns undefined beyond the last @throws OperatorError IMAGE_TRUNCATED where the file ends before it */
  at(tag: number, index: number): number | undefined;
  /** Its first value. */
  value(tag: number, otherwise: number): number;
}

interface Entry {
  readonly values: number;
  /** Bytes of a value. */
  readonly size: number;
  /** Where the first one is. */
  readonly start: number;
}

/** BYTE, SHORT and LONG: nothing that matters here is stored as anything else. */
const sizes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4 };

/** @throws OperatorError IMAGE_TRUNCATED */
export function readTiffTags(bytes: Uint8Array, littleEndian: boolean): TiffTags {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const need = (end: number): void => {
    if (end > bytes.length)
      throw new OperatorError('IMAGE_TRUNCATED', 'the TIFF ends within its header');
  };
  need(8);
  const start = view.getUint32(4, littleEndian);
  need(start + 2);
  const count = view.getUint16(start, littleEndian);
  need(start + 2 + 12 * count);

  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const entry = start + 2 + 12 * i;
    const size = sizes[view.getUint16(entry + 2, littleEndian)];
    if (!size) continue;
    const values = view.getUint32(entry + 4, littleEndian);
    const inside = values * size <= 4;
    entries.set(view.getUint16(entry, littleEndian), {
      values,
      size,
      start: inside ? entry + 8 : view.getUint32(entry + 8, littleEndian),
    });
  }

  const at = (tag: number, index: number): number | undefined => {
    const entry = entries.get(tag);
    if (!entry || index >= entry.values) return undefined;
    const offset = entry.start + index * entry.size;
    need(offset + entry.size);
    if (entry.size === 1) return view.getUint8(offset);
    return entry.size === 2
      ? view.getUint16(offset, littleEndian)
      : view.getUint32(offset, littleEndian);
  };
  return {
    count: (tag) => entries.get(tag)?.values ?? 0,
    at,
    value: (tag, otherwise) => at(tag, 0) ?? otherwise,
  };
}
