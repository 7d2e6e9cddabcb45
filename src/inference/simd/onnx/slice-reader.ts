import { closeSync } from 'node:fs';
import { type FileSlice, openSlice, readSlice } from '../../../model/file-slice.ts';

/** Reads small pieces of a model's file through a window, so that walking over 94 MB of weights touches none of them. */
export interface SliceReader {
  /** Up to `length` bytes from `position`, fewer at the end; valid until the next call. */
  peek(position: number, length: number): Uint8Array;
  /** A copy of exactly `length` bytes. */
  read(position: number, length: number): Uint8Array<ArrayBuffer>;
  readonly length: number;
  close(): void;
}

const windowBytes = 8192;
const smallBytes = 64;

export function openSliceReader(slice: FileSlice): SliceReader {
  const fd = openSlice(slice);
  const buffer = new Uint8Array(windowBytes);
  let start = 0;
  let end = 0;
  const peek = (position: number, length: number): Uint8Array => {
    const last = Math.min(position + length, slice.length);
    if (position < start || last > end) {
      start = position;
      end = Math.min(position + windowBytes, slice.length);
      readSlice(fd, slice, start, buffer.subarray(0, end - start));
    }
    return buffer.subarray(position - start, last - start);
  };
  return {
    length: slice.length,
    peek,
    read(position, length) {
      // What is small has neighbours that will be asked for: scales and zero points lie together.
      if (length <= smallBytes && position + length <= slice.length)
        return new Uint8Array(peek(position, length));
      const bytes = new Uint8Array(length);
      readSlice(fd, slice, position, bytes);
      return bytes;
    },
    close: () => closeSync(fd),
  };
}
