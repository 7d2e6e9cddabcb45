/** What package-lock.json says about a package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

export interface LockedPackage {
  readonly version: string;
  /** `sha512-` and the checksum of the package's archive in base64. */
  readonly integrity?: string;
  /** SPDX identifier or expression. */
  readonly license?: string;
}

/** By folder: `node_modules/pino`, `node_modules/a/node_modules/b`. */
export function lockedPackages(): Record<string, LockedPackage> {
  const text = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { packages: Record<string, LockedPackage> }).packages;
}

/** @throws Error when the lock file has no such package */
export function lockedPackage(folder: string): LockedPackage {
  const found = lockedPackages()[folder];
  if (!found) throw new Error(`package-lock.json has no ${folder}`);
  return found;
}
