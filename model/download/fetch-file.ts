/** One HTTP download into one file, with limits on time. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { addressReason } from '../../src/system-error.ts';
import { DownloadError, ModelError } from '../errors.ts';
import { cannotWrite } from '../files/cannot-write.ts';
import type { DownloadProgress } from './progress.ts';

export interface TimeLimits {
  /** Milliseconds until the answer's headers are there, redirects included. @default 10000 */
  readonly connectMs?: number | undefined;
  /** Milliseconds in which at least 16 KiB must arrive. @default 5000, so that an attempt in vain ends within 15 s */
  readonly stallMs?: number | undefined;
  /** Milliseconds for the whole download. @default none, since a slow line is no reason to give up */
  readonly totalMs?: number | undefined;
}

export interface FetchFileOptions {
  readonly url: string;
  /** Written from its beginning; what is there after a failure is rubbish. */
  readonly path: string;
  readonly limits?: TimeLimits | undefined;
  /** A download of another length ends at once. */
  readonly expectedBytes?: number | undefined;
  readonly progress?: DownloadProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly md5: string;
}

/** A line that carries less than this per stall limit counts as dead. */
const stallQuantum = 16 * 1024;

const seconds = (ms: number): string => `${ms / 1000} s`;

/** @throws DownloadError saying what went wrong; ModelError where the file cannot be written; the reason of `signal` when that fires */
export async function fetchToFile(options: FetchFileOptions): Promise<FetchedFile> {
  const { connectMs = 10_000, stallMs = 5_000, totalMs } = options.limits ?? {};
  const shown = withoutSecrets(options.url);
  const controller = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (reason: unknown): void => {
    failed.reject(reason);
    controller.abort(reason);
  };
  const failAfter = (ms: number, why: string): NodeJS.Timeout =>
    setTimeout(() => fail(new DownloadError(`${shown}: ${why}`)), ms);
  const onAbort = (): void => fail(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  let patience = failAfter(connectMs, `no answer within ${seconds(connectMs)}`);
  const total =
    totalMs === undefined
      ? undefined
      : failAfter(totalMs, `not complete within ${seconds(totalMs)}`);
  const progressMade = (): void => {
    clearTimeout(patience);
    patience = failAfter(stallMs, `the download stalled for ${seconds(stallMs)}`);
  };
  try {
    // Raced, not just aborted: whatever the runtime is busy with, the limits hold.
    const response = await Promise.race([request(options.url, controller.signal), failed.promise]);
    progressMade();
    const announced = checkResponse(response, options);
    options.progress?.start(announced ?? options.expectedBytes);
    const reading = receive(response, options, progressMade);
    reading.catch(() => {});
    const file = await Promise.race([reading, failed.promise]);
    if (announced !== undefined && file.bytes !== announced)
      throw new DownloadError(`the connection ended after ${file.bytes} of ${announced} bytes`);
    return file;
  } catch (error) {
    if (error === options.signal?.reason) throw error;
    // A disk that is full is no fault of the network's.
    if (error instanceof ModelError && !(error instanceof DownloadError)) throw error;
    const text = addressReason(error) ?? (error instanceof Error ? error.message : String(error));
    throw new DownloadError(text.startsWith(shown) ? text : `${shown}: ${text}`, { cause: error });
  } finally {
    clearTimeout(patience);
    clearTimeout(total);
    options.signal?.removeEventListener('abort', onAbort);
    controller.abort();
    options.progress?.stop();
  }
}

function request(url: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, { signal, redirect: 'follow', headers: { 'accept-encoding': 'identity' } });
}

/** @returns the length that the server announces, in bytes */
function checkResponse(response: Response, { url, expectedBytes }: FetchFileOptions) {
  if (url.startsWith('https:') && response.url.startsWith('http:'))
    throw new DownloadError(`redirected to a plain http address, ${withoutSecrets(response.url)}`);
  if (!response.ok) throw new DownloadError(`the server answers ${response.status}`);
  const header = response.headers.get('content-length');
  const encoded = response.headers.has('content-encoding');
  const announced = header === null || encoded ? undefined : Number(header);
  if (announced !== undefined && expectedBytes !== undefined && announced !== expectedBytes)
    throw new DownloadError(`the server offers ${announced} bytes, not ${expectedBytes}`);
  return announced;
}

async function receive(
  response: Response,
  { path, progress }: FetchFileOptions,
  progressMade: () => void,
): Promise<FetchedFile> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  const onDisk = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      throw cannotWrite(path, error);
    }
  };
  const fd = onDisk(() => openSync(path, 'w'));
  let bytes = 0;
  let mark = 0;
  try {
    for await (const chunk of response.body ?? []) {
      onDisk(() => {
        for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
      });
      sha256.update(chunk);
      md5.update(chunk);
      bytes += chunk.length;
      progress?.update(bytes);
      if (bytes - mark >= stallQuantum) {
        mark = bytes;
        progressMade();
      }
    }
    onDisk(() => fsyncSync(fd));
  } finally {
    closeSync(fd);
  }
  return { bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** The address without user, password and query, which may hold a token: for messages and for the manifest. */
export function withoutSecrets(url: string): string {
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
