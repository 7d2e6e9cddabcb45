import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const repository: string = join(import.meta.dir, '..');

/** The commit being built, with `-dirty` when the tree differs from it; `unknown` outside a repository. */
export function commit(): string {
  try {
    return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain') ? '-dirty' : ''}`;
  } catch {
    return 'unknown';
  }
}

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim();
