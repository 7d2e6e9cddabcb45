/** Files that are there whole or not at all: written under a temporary name, synced to the disk, then renamed. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { keepTrack, removeAbandoned, temporaryName } from './abandoned.ts';
import { cannotWrite } from './cannot-write.ts';

export interface StagedFile {
  /** Where the bytes are until `commit`. */
  readonly temporaryPath: string;
  /** Gives the file its name, replacing what had it. @throws ModelError that names the file */
  commit(): void;
  /** Removes the temporary file; after `commit` there is nothing left to remove. */
  discard(): void;
}

/** @throws ModelError that names the file; then no temporary file is left */
export function stageFile(path: string, content: Uint8Array | string): StagedFile {
  const folder = dirname(path);
  removeAbandoned(folder, basename(path));
  const temporaryPath = join(folder, temporaryName(basename(path), '.tmp'));
  keepTrack(temporaryPath);
  const discard = (): void => rmSync(temporaryPath, { force: true });
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    writeWhole(temporaryPath, bytes);
  } catch (error) {
    discard();
    throw cannotWrite(path, error, bytes.length);
  }
  const commit = (): void => {
    try {
      renameSync(temporaryPath, path);
      syncFolder(folder);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  };
  return { temporaryPath, commit, discard };
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx', 0o644);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function writeFileAtomically(path: string, content: Uint8Array | string): void {
  const staged = stageFile(path, content);
  try {
    staged.commit();
  } finally {
    staged.discard();
  }
}

/** Makes the rename itself survive a power cut; Windows has no such call on folders. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
