/** Fetches images by URL for clients who must not reach through us what they cannot reach themselves. */
import { OperatorError } from '../../errors.ts';
import { createFairSemaphore } from '../../fair-semaphore.ts';
import { parseAllowList } from './allow-list.ts';
import type { FetchFileOptions } from './fetch-file.ts';
import type { FetchedFile } from './fetch-memory.ts';
import { createFetchThread, type FetchThread } from './fetch-thread.ts';
import { parseTargetUrl } from './target-url.ts';
import { spell, withTimeLimit } from './time-limit.ts';

/** Times are in milliseconds; see `FetchFileOptions` for what is not explained here. */
export interface UrlFetcherOptions extends FetchFileOptions {
  /** False refuses every URL. */
  readonly enabled: boolean;
  /** All hops and the body of one file; waiting for a slot does not count. */
  readonly timeoutMs: number;
  /** Files at a time, of all requests together: being fetched, or held by `withFile`. */
  readonly concurrency: number;
}

export interface UrlFetcher {
  /**
   * Waits for a slot, fetches one file, and hands it to `use`. The slot and the file's share of memory are held until
   * `use` settles, so that files do not pile up before a slower stage. Requests are served in turn, one request being one
   * `signal`: pass the same one for all URLs of a request, which may be started together.
   *
   * @param use - gets the file, unpacked, in a buffer of its own that may be transferred
   * @returns what `use` returns
   * @throws what `use` throws; OperatorError URL_INVALID, URL_FETCH_OFF, URL_FORBIDDEN, URL_UNREACHABLE, URL_TIMEOUT,
   * URL_BAD_RESPONSE, IMAGE_TOO_LARGE, OVERLOADED; CANCELLED or DEADLINE when `signal` fires
   */
  withFile<T>(
    url: string,
    signal: AbortSignal,
    use: (file: Uint8Array<ArrayBuffer>) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

/**
 * @param thread - what does the fetching; tests do it on their own thread
 * @throws ConfigError when an entry of `allow` cannot be read
 */
export function createUrlFetcher(
  options: UrlFetcherOptions,
  thread: FetchThread = createFetchThread(options),
): UrlFetcher {
  const { enabled, allow, timeoutMs, concurrency } = options;
  parseAllowList(allow);
  const slots = createFairSemaphore(concurrency);

  const withFile: UrlFetcher['withFile'] = async (url, signal, use) => {
    if (!enabled) {
      throw new OperatorError('URL_FETCH_OFF', 'URLs are not fetched here (--url-fetch off)');
    }
    const { host } = parseTargetUrl(url);
    const leaveSlot = await slots.acquire(signal, signal);
    try {
      const late = () =>
        new OperatorError(
          'URL_TIMEOUT',
          `${host} took longer than ${spell(timeoutMs)} (--url-timeout)`,
        );
      let fetching: Promise<FetchedFile> | undefined;
      const fetch = (limited: AbortSignal): Promise<FetchedFile> => {
        fetching = thread.fetchFile(url, limited);
        return fetching;
      };
      const file = await withTimeLimit(signal, timeoutMs, late, fetch).catch((error) => {
        // It may have come in the same moment: nobody else would give its memory back.
        fetching?.then(({ release }) => release()).catch(() => {});
        throw error;
      });
      try {
        return await use(file.bytes);
      } finally {
        file.release();
      }
    } finally {
      leaveSlot();
    }
  };

  return {
    withFile,
    close: () => thread.close(),
  };
}
