/**
 * A lock between processes. JavaScript has no flock, and a lock file outlives a process that is killed; SQLite's exclusive
 * transaction is a lock of the operating system, which lets go of it whatever happens to the process.
 */
import { Database } from 'bun:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FileLockOptions {
  /** Called once when another process holds the lock. */
  readonly onWait?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const pollMs = 100;

/**
 * Runs `work` while no other process or caller holds the lock of this path.
 * @param path - a file of its own, made when it is not there; its folder exists
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  const database = new Database(path, { create: true });
  try {
    for (let waited = false; !tryLock(database); waited = true) {
      if (!waited) options.onWait?.();
      await sleep(pollMs, undefined, options.signal ? { signal: options.signal } : {});
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: Database): boolean {
  try {
    database.run('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') return false;
    throw error;
  }
}
