/** Empties the file cache, so that a start reads from the disk as the first one after a boot does. */
import { writeFileSync } from 'node:fs';

export type Emptied = 'drop_caches' | 'posix_fadvise';

/**
 * Empties the whole cache where that is allowed (root), else drops these files from it.
 * @returns which of the two it was
 * @throws Error when they are still there: something has them open
 */
export function emptyFileCache(files: readonly string[]): Emptied {
  Bun.spawnSync(['sync']);
  const how = dropAll() ? 'drop_caches' : dropFiles(files);
  const left = files.reduce((sum, file) => sum + residentBytes(file), 0);
  if (left > 1e6) throw new Error(`${(left / 1e6).toFixed(0)} MB are still in the file cache`);
  return how;
}

function dropAll(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return true;
  } catch {
    return false;
  }
}

function dropFiles(files: readonly string[]): Emptied {
  const script =
    'import os,sys\nfor f in sys.argv[1:]:\n d=os.open(f,0);os.posix_fadvise(d,0,0,os.POSIX_FADV_DONTNEED)';
  const { exitCode, stderr } = Bun.spawnSync(['python3', '-c', script, ...files]);
  if (exitCode !== 0) throw new Error(`posix_fadvise: ${stderr}`);
  return 'posix_fadvise';
}

/** By fincore, of util-linux. */
function residentBytes(file: string): number {
  const asked = Bun.spawnSync(['fincore', '--bytes', '--noheadings', '--output', 'RES', file]);
  if (asked.exitCode !== 0) throw new Error(`fincore: ${asked.stderr}`);
  return Number(asked.stdout.toString().trim());
}
