/** Downloads that are kept: one file for each address, its checksum beside it, and never the same download twice. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { DownloadError } from '../errors.ts';
import { keepTrack } from '../files/abandoned.ts';
import { assertWritable, makeFolder } from '../files/folders.ts';
import { hashFile } from '../files/hash-file.ts';
import { writeFileAtomically } from '../files/staged-file.ts';
import { type FetchFileOptions, fetchToFile, withoutSecrets } from './fetch-file.ts';
import { withFileLock } from './file-lock.ts';

/** What is known beforehand of the file; each is checked where it is given. */
export interface ExpectedFile {
  readonly bytes?: number | undefined;
  readonly md5?: string | undefined;
  readonly sha256?: string | undefined;
}

export interface CachedDownloadOptions
  extends Pick<FetchFileOptions, 'url' | 'limits' | 'progress' | 'signal'> {
  readonly cacheDir: string;
  readonly expected: ExpectedFile;
  /** Uses only what the cache holds. */
  readonly offline: boolean;
  readonly log: (line: string) => void;
  /** Looks at what came before it is kept. @throws Error when it cannot be what was asked for */
  readonly check?: ((path: string) => void) | undefined;
}

const recordSchema = v.object({ url: v.string(), bytes: v.number(), sha256: v.string() });

/**
 * The path of the downloaded file; downloads it unless the cache holds it undamaged.
 * @throws DownloadError when it cannot be had, or is not what was expected
 */
export async function cachedDownload(options: CachedDownloadOptions): Promise<string> {
  const { url, cacheDir, log } = options;
  const folder = join(cacheDir, 'downloads');
  const path = join(folder, fileName(url));
  if (await isUsable(path, options)) return path;
  if (options.offline)
    throw new DownloadError(
      `offline, and ${withoutSecrets(url)} is not in the cache (${path}); give a local file with --weights FILE`,
    );
  assertWritable(
    folder,
    `the cache folder ${cacheDir} (--cache-dir and XDG_CACHE_HOME name another place)`,
  );
  makeFolder(folder);
  const work = async (): Promise<string> => {
    // Another process may have fetched it while this one waited for the lock.
    if (!(await isUsable(path, options))) await download(options, path);
    return path;
  };
  const onWait = (): void => log('another process is downloading the same file; waiting for it');
  return withFileLock(`${path}.lock`, work, { onWait, signal: options.signal });
}

/** Different addresses never share a file; the name's end is for people. */
function fileName(url: string): string {
  const key = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const name = basename(new URL(url).pathname).replace(/[^\w.-]/g, '_') || 'download';
  return `${key}-${name.slice(-100)}`;
}

async function download(options: CachedDownloadOptions, path: string): Promise<void> {
  const { url, expected, log, check } = options;
  const shown = withoutSecrets(url);
  const partial = `${path}.part`;
  log(`downloading ${shown}`);
  const forget = keepTrack(partial);
  try {
    const { limits, progress, signal } = options;
    const request = { url, path: partial, limits, progress, signal, expectedBytes: expected.bytes };
    const file = await fetchToFile(request);
    const problem = mismatch(file, expected);
    if (problem)
      throw new DownloadError(`${shown}: not the expected file: ${problem}; it was thrown away`);
    inspect(() => check?.(partial), shown);
    renameSync(partial, path);
    const record = { url: shown, bytes: file.bytes, sha256: file.sha256 };
    writeFileAtomically(`${path}.json`, `${JSON.stringify(record, undefined, 2)}\n`);
  } finally {
    rmSync(partial, { force: true });
    // Whoever has the lock next writes to the same name.
    forget();
  }
}

function inspect(check: () => void, shown: string): void {
  try {
    check();
  } catch (error) {
    throw new DownloadError(`${shown}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether the cache holds the file, undamaged and as expected. */
async function isUsable(
  path: string,
  { expected, log }: Pick<CachedDownloadOptions, 'expected' | 'log'>,
): Promise<boolean> {
  const record = readRecord(`${path}.json`);
  if (!record || !existsSync(path)) return false;
  const actual = await hashFile(path);
  const problem =
    actual.sha256 === record.sha256 ? mismatch(actual, expected) : 'it changed since its download';
  log(problem ? `not using the cached ${path}: ${problem}` : `already downloaded: ${path}`);
  return problem === undefined;
}

function readRecord(path: string) {
  try {
    return v.parse(recordSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function mismatch(actual: Required<ExpectedFile>, expected: ExpectedFile): string | undefined {
  for (const key of ['bytes', 'md5', 'sha256'] as const)
    if (expected[key] !== undefined && actual[key] !== expected[key])
      return `${key} ${actual[key]} instead of ${expected[key]}`;
  return undefined;
}
