/** From what `--weights` says to a file on this machine and what is known of it. */
import { accessSync, constants, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileReason } from '../../src/system-error.ts';
import { cachedDownload } from '../download/cached-download.ts';
import { type TimeLimits, withoutSecrets } from '../download/fetch-file.ts';
import type { DownloadProgress } from '../download/progress.ts';
import { ModelError } from '../errors.ts';
import { type FileHashes, hashFile } from '../files/hash-file.ts';
import { detectFormat } from './format.ts';
import { defaultRelease, findPublished } from './published.ts';

export interface LocateOptions {
  /** A path or an http(s) address; left out, the default release. */
  readonly weights: string | undefined;
  /** Checked wherever the file comes from. */
  readonly sha256: string | undefined;
  readonly cacheDir: string;
  readonly offline: boolean;
  readonly limits: TimeLimits;
  readonly progress: DownloadProgress | undefined;
  readonly signal: AbortSignal | undefined;
  readonly tell: (line: string) => void;
}

export interface LocatedWeights extends FileHashes {
  readonly path: string;
  /** For the manifest. */
  readonly description: string;
  readonly licence: string;
  /** Whether the file is one that is known by its checksum. */
  readonly published: boolean;
}

/**
 * @throws ModelError when a local file is missing or has another checksum
 * @throws DownloadError when a download fails
 */
export async function locateWeights(options: LocateOptions): Promise<LocatedWeights> {
  const { weights } = options;
  const remote = weights === undefined || isAddress(weights);
  const path = remote ? await download(options, weights) : requireFile(weights);
  const hashes = await hashFile(path);
  const { sha256 } = options;
  if (sha256 !== undefined && hashes.sha256 !== sha256)
    throw new ModelError(`${path}: its SHA-256 is ${hashes.sha256}, not ${sha256}`);
  const known = findPublished(hashes.md5);
  return {
    ...hashes,
    path,
    description: known?.description ?? (remote ? withoutSecrets(weights!) : basename(path)),
    licence: known?.licence ?? 'unknown: ask whoever published the weights',
    published: known !== undefined,
  };
}

export const isAddress = (weights: string): boolean => /^https?:\/\//i.test(weights);

function download(options: LocateOptions, url: string | undefined): Promise<string> {
  const { sha256, cacheDir, offline, limits, progress, signal, tell } = options;
  const pinned = url === undefined || url === defaultRelease.url ? defaultRelease : {};
  const { bytes, md5 } = pinned as { bytes?: number; md5?: string };
  return cachedDownload({
    url: url ?? defaultRelease.url,
    expected: { bytes, md5, sha256 },
    ...{ cacheDir, offline, limits, progress, signal },
    log: tell,
    check: detectFormat,
  });
}

function requireFile(path: string): string {
  const given = `--weights ${path}`;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new ModelError(`${given}: there is no such file`);
    if (!found.isFile()) throw new ModelError(`${given}: that is not a file`);
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`${given}: cannot be read: ${fileReason(error)}`);
  }
  return path;
}
