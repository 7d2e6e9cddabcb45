import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/**
 * A run of bytes within an open file: an ONNX file of its own, or the one appended to the executable. Engines read weights
 * from it straight to where they are needed.
 */
export interface FileSlice {
  readonly path: string;
  /** Byte offset of the slice within the file. */
  readonly offset: number;
  readonly length: number;
  /** Which file it was when it was looked at, as {@link fingerprintOf} says; left out: whichever is there. */
  readonly fingerprint?: string;
}

/** Tells a file from one that takes its place, and from itself once it has been written again. */
export const fingerprintOf = ({ ino, size, mtimeMs }: Stats): string => `${ino} ${size} ${mtimeMs}`;

/**
 * Opens the slice's file for reading. Engines do so when they start, which may be long after the slice was found: an engine
 * that is lost has a successor, and an executable may have been replaced by its next version by then.
 * @throws Error when it is another file than the one that was looked at
 */
export function openSlice({ path, fingerprint }: FileSlice): number {
  const fd = openSync(path, 'r');
  if (fingerprint === undefined || fingerprintOf(fstatSync(fd)) === fingerprint) return fd;
  closeSync(fd);
  throw new Error(`${path}: another file has taken its place since it was looked at`);
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
