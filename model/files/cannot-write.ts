import { dirname } from 'node:path';
import { fileReason } from '../../src/system-error.ts';
import { ModelError } from '../errors.ts';

/**
 * The system's error as a sentence: its own names no file where writing failed, and opening does by a temporary name.
 * @param bytes - how many were to be written, where that is known
 */
export function cannotWrite(path: string, error: unknown, bytes?: number): ModelError {
  const { code } = error as NodeJS.ErrnoException;
  const megabytes = bytes === undefined ? '' : ` for its ${(bytes / 1e6).toFixed(1)} MB`;
  const inFolder: Readonly<Record<string, string>> = {
    ENOSPC: `the disk is full: there is no room${megabytes} in ${dirname(path)}`,
    EDQUOT: `the quota of this user is used up: there is no room${megabytes} in ${dirname(path)}`,
    ENOENT: `there is no folder ${dirname(path)}`,
    EBUSY: `it is in use by the system: mounted by itself, as a single file of a container is, it cannot be replaced; mount ${dirname(path)} instead`,
    EACCES: `${fileReason(error)} in ${dirname(path)}`,
  };
  const why = inFolder[code ?? ''] ?? fileReason(error);
  return new ModelError(`${path} cannot be written: ${why}`, { cause: error });
}
