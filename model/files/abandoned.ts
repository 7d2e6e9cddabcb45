/**
 * Temporary files and folders are called `.NAME.PID.…`, by what they are for and the process that writes them. One whose
 * process is gone was left by a kill or a power cut, and the next run for the same thing removes it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileReason } from '../../src/system-error.ts';
import { ModelError } from '../errors.ts';

/** Those of this process that may still be there. */
const temporary = new Set<string>();

/** Remembers a file or a folder until it has been removed or got its name. @returns forgets it */
export function keepTrack(path: string): () => void {
  temporary.add(path);
  return () => temporary.delete(path);
}

/** Before the process ends in the middle of its work. */
export function removeTemporary(): void {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
}

/** @param name - what the files are for, such as the name of the file to be; other names are left alone */
export function removeAbandoned(folder: string, name: string): void {
  const prefix = `.${name}.`;
  for (const entry of list(folder)) {
    if (!entry.startsWith(prefix)) continue;
    const pid = /^(\d+)\./.exec(entry.slice(prefix.length))?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(folder, entry), { recursive: true, force: true });
    } catch {
      // Another user's, in a common folder.
    }
  }
}

/**
 * A new folder below `parent` that a later run clears away if this one does not.
 * @throws ModelError that names `parent`
 */
export function temporaryFolder(parent: string, name: string): string {
  removeAbandoned(parent, name);
  try {
    const folder = mkdtempSync(join(parent, `.${name}.${process.pid}.`));
    // No other process makes one of that name.
    keepTrack(folder);
    return folder;
  } catch (error) {
    throw new ModelError(`the folder ${parent} cannot be written into: ${fileReason(error)}`, {
      cause: error,
    });
  }
}

/** Whoever cannot list a folder may still write to it. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== 'ESRCH';
  }
}
