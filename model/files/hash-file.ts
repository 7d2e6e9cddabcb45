import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { fingerprintOf } from '../../src/model/file-slice.ts';
import { ModelError } from '../errors.ts';

export interface FileHashes {
  readonly bytes: number;
  readonly sha256: string;
  /** Not against forgery; older publishers give no other checksum. */
  readonly md5: string;
  /** Which file it was when it was opened, for {@link assertSameFile}. */
  readonly fingerprint: string;
}

/** Reads the file once, in pieces. */
export async function hashFile(path: string): Promise<FileHashes> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  const fd = openSync(path, 'r');
  try {
    // Before the first byte: what is written from now on makes it another file.
    const fingerprint = fingerprintOf(fstatSync(fd));
    const stream = createReadStream(path, { fd, autoClose: false, highWaterMark: 1 << 20 });
    for await (const chunk of stream) {
      sha256.update(chunk);
      md5.update(chunk);
      bytes += chunk.length;
    }
    return { bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex'), fingerprint };
  } finally {
    closeSync(fd);
  }
}

/** @throws ModelError when the path leads to another file than it did, or the file has been written to */
export function assertSameFile(path: string, fingerprint: string): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now && fingerprintOf(now) === fingerprint) return;
  throw new ModelError(
    `${path}: the file has been changed, or another has taken its place, since its checksum was computed: run the command again`,
  );
}
