/** Files that are replaced together, or stay as they are. */
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ModelError } from '../errors.ts';
import { temporaryName } from './abandoned.ts';
import { cannotWrite } from './cannot-write.ts';

/** What had a name, or that nothing had it. */
interface Old {
  readonly path: string;
  /** Where it lies meanwhile; undefined where there was nothing. */
  readonly aside: string | undefined;
}

/**
 * Moves the files at `paths` out of the way, in this order, while `work` puts new ones there. When it fails, the old ones
 * are back; where there was none, there is none.
 * @throws ModelError when one cannot be moved; whatever `work` throws
 */
export function withOldAside(paths: readonly string[], work: () => void): void {
  const old: Old[] = [];
  try {
    for (const path of paths) old.push(setAside(path));
    work();
  } catch (error) {
    for (const each of old.reverse()) putBack(each, error);
    throw error;
  }
  for (const { aside } of old) if (aside) rmSync(aside, { force: true });
}

function setAside(path: string): Old {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return { path, aside: undefined };
  // A folder could be moved as well; but whoever has one there did not mean it to be replaced.
  if (found.isDirectory()) throw cannotWrite(path, { code: 'EISDIR' });
  const aside = join(dirname(path), temporaryName(basename(path), '.old'));
  try {
    renameSync(path, aside);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  return { path, aside };
}

function putBack({ path, aside }: Old, cause: unknown): void {
  try {
    if (aside) renameSync(aside, path);
    else rmSync(path, { force: true });
  } catch {
    const what = cause instanceof Error ? cause.message : String(cause);
    const then = aside
      ? `the old file could not be put back: rename ${aside} to ${path}`
      : `the new ${path} could not be removed`;
    throw new ModelError(`${what}; ${then}`, { cause });
  }
}
