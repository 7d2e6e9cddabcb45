import { readSync } from 'node:fs';

/**
 * A run of bytes within an open file: an ONNX file of its own, or the one appended to the executable. Engines read weights
 * from it straight to where they are needed.
 */
export interface FileSlice {
  readonly path: string;
  /** Byte offset of the slice within the file. */
  readonly offset: number;
  readonly length: number;
}

/**
 * Fills `target` from byte `position` of the slice.
 * @throws RangeError when the slice or the file ends before `target` is full
 */
export function readSlice(
  fd: number,
  slice: FileSlice,
  position: number,
  target: Uint8Array,
): void {
  if (position < 0 || position + target.length > slice.length)
    throw new RangeError(`${slice.path}: read beyond the model's end`);
  let done = 0;
  while (done < target.length) {
    const n = readSync(fd, target, done, target.length - done, slice.offset + position + done);
    if (n === 0) throw new RangeError(`${slice.path}: the file ends within the model`);
    done += n;
  }
}
