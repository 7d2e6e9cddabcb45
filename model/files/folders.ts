/** Folders that are to be written into: made, or refused before the work that would be lost. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../../src/errors.ts';
import { fileReason } from '../../src/system-error.ts';
import { ModelError } from '../errors.ts';

/** @throws ModelError that names it */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new ModelError(`the folder ${path} cannot be made: ${fileReason(error)}`, {
      cause: error,
    });
  }
}

/**
 * @param folder - may have to be made first
 * @param given - how it was named, the beginning of the sentence
 * @throws ConfigError where it is sure that nothing can be written there
 */
export function assertWritable(folder: string, given: string): void {
  const { path, problem } = nearest(folder);
  if (problem) throw new ConfigError(`${given}: ${path} cannot be written into: ${problem}`);
}

/** The folder, or the one in which it would have to be made. */
function nearest(folder: string): { path: string; problem?: string } {
  for (let path = folder; ; path = dirname(path))
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (!found && dirname(path) !== path) continue;
      if (found && !found.isDirectory()) return { path, problem: 'that is a file and no folder' };
      accessSync(path, constants.W_OK | constants.X_OK);
      return { path };
    } catch (error) {
      // Somewhere above is a file.
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') continue;
      return { path, problem: fileReason(error) };
    }
}
