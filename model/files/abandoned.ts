/**
 * Temporary files and folders are called `.NAME.PID.PLACE.RANDOM…`, by what they are for and the process that writes them. One
 * that was left by a kill or a power cut is removed by the next run for the same thing, as soon as it is certain that nobody
 * writes it any more.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileReason } from '../../src/system-error.ts';
import { ModelError } from '../errors.ts';
import { place, placePattern } from './process-place.ts';

/** Those of this process that may still be there. */
const temporary = new Set<string>();

/** Names that this process has given, whether they are still there or not. */
const given = new Set<string>();

/** Of a process that cannot be asked after, in another container or on another host, nothing is written for so long. */
const longestMs = 24 * 60 * 60 * 1000;

/** A name that nobody else gives. @param name - what the file is for, such as the name of the file to be */
export function temporaryName(name: string, ending: string): string {
  const own = `.${name}.${process.pid}.${place}.${randomBytes(6).toString('hex')}${ending}`;
  given.add(own);
  return own;
}

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
  for (const entry of list(folder))
    try {
      const path = join(folder, entry);
      if (isAbandoned(path, name)) rmSync(path, { recursive: true, force: true });
    } catch {
      // Gone meanwhile, or another user's, in a common folder.
    }
}

const writer = new RegExp(`^(\\d+)\\.(?:(${placePattern})\\.)?`);

function isAbandoned(path: string, name: string): boolean {
  const entry = basename(path);
  const prefix = `.${name}.`;
  const found = entry.startsWith(prefix) && writer.exec(entry.slice(prefix.length));
  if (!found || given.has(entry)) return false;
  const [, pid, where] = found;
  if (where !== place) return Date.now() - lstatSync(path).mtimeMs > longestMs;
  // In a container that is started anew a process often has the number of the one before.
  return Number(pid) === process.pid || !isAlive(Number(pid));
}

/**
 * A new folder below `parent` that a later run clears away if this one does not.
 * @throws ModelError that names `parent`
 */
export function temporaryFolder(parent: string, name: string): string {
  removeAbandoned(parent, name);
  try {
    const folder = mkdtempSync(join(parent, `.${name}.${process.pid}.${place}.`));
    given.add(basename(folder));
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
