/** Fetches images by URL for clients who must not reach through us what they cannot reach themselves. */
import { OperatorError } from '../../errors.ts';
import { parseAllowList } from './allow-list.ts';
import { connect } from './connect.ts';
import { createFairSemaphore } from './fair-semaphore.ts';
import { httpGet } from './http-get.ts';
import { readBody } from './read-body.ts';
import { redirectTarget, statusError } from './redirect.ts';
import { resolveTarget } from './resolve-target.ts';
import { createSystemResolve, type Resolve, systemAddresses } from './system-resolver.ts';
import { parseTargetUrl, type TargetUrl } from './target-url.ts';
import { spell, withTimeLimit } from './time-limit.ts';

export interface UrlFetcherOptions {
  /** Most bytes of a file, unpacked. */
  readonly maxImageBytes: number;
  /** False refuses every URL. @default true: a request with URLs works out of the box */
  readonly enabled?: boolean;
  /** Networks, addresses and hosts let through although they are not public; see `parseAllowList`. @default [] */
  readonly allow?: readonly string[];
  /** Look-up, connection and TLS of one hop, milliseconds. @default 5000: more than any working server needs */
  readonly connectTimeoutMs?: number;
  /** From the request to the complete header of the response, milliseconds. @default 10000: object stores wake up */
  readonly firstByteTimeoutMs?: number;
  /** All hops and the body, milliseconds; waiting for a slot does not count. @default 30000 */
  readonly timeoutMs?: number;
  /** @default 3: a shortener, http to https, and one more */
  readonly maxRedirects?: number;
  /** Fetches at a time, of all requests together. @default 16: at most 16 × maxImageBytes are being received */
  readonly concurrency?: number;
  /** Certificates to trust instead of the built-in ones, PEM. */
  readonly ca?: readonly string[];
  /** @default the system's resolver */
  readonly resolve?: Resolve;
  /** @default the addresses of this machine's interfaces, read at every fetch */
  readonly ownAddresses?: () => readonly string[];
}

export const urlFetcherDefaults = {
  enabled: true,
  allow: [],
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 10_000,
  timeoutMs: 30_000,
  maxRedirects: 3,
  concurrency: 16,
} as const satisfies Partial<UrlFetcherOptions>;

export interface UrlFetcher {
  /**
   * Waits for a slot and fetches one file. Requests are served in turn, one request being one `signal`: pass the same
   * one for all URLs of a request, which may be started together.
   *
   * @returns the file, unpacked, in a buffer of its own that may be transferred
   * @throws OperatorError URL_INVALID, URL_FETCH_OFF, URL_FORBIDDEN, URL_UNREACHABLE, URL_TIMEOUT, URL_BAD_RESPONSE,
   * IMAGE_TOO_LARGE; CANCELLED or DEADLINE when `signal` fires
   */
  fetch(url: string, signal: AbortSignal): Promise<Uint8Array>;
}

/** @throws ConfigError when an entry of `allow` cannot be read */
export function createUrlFetcher(options: UrlFetcherOptions): UrlFetcher {
  const settings = { ...urlFetcherDefaults, ...options };
  const slots = createFairSemaphore(settings.concurrency);
  const resolution = {
    allow: parseAllowList(settings.allow),
    resolve: options.resolve ?? createSystemResolve(),
    ownAddresses: options.ownAddresses ?? systemAddresses,
  };

  async function open(target: TargetUrl, signal: AbortSignal) {
    const timeoutMs = settings.connectTimeoutMs;
    const start = performance.now();
    const late = () =>
      new OperatorError(
        'URL_TIMEOUT',
        `the name ${target.host} did not resolve within ${spell(timeoutMs)} (--url-connect-timeout)`,
      );
    const addresses = await withTimeLimit(signal, timeoutMs, late, () =>
      resolveTarget(target, resolution),
    );
    const left = Math.max(1, timeoutMs - (performance.now() - start));
    return connect(target, addresses, { timeoutMs, left, ca: settings.ca }, signal);
  }

  /** The file, or where the server sends us instead. */
  async function hop(target: TargetUrl, signal: AbortSignal): Promise<Uint8Array | TargetUrl> {
    const socket = await open(target, signal);
    const hangUp = () => socket.destroy();
    signal.addEventListener('abort', hangUp, { once: true });
    try {
      const late = () =>
        new OperatorError(
          'URL_TIMEOUT',
          `${target.host} did not answer within ${spell(settings.firstByteTimeoutMs)} (--url-first-byte-timeout)`,
        );
      const response = await withTimeLimit(signal, settings.firstByteTimeoutMs, late, () =>
        httpGet(socket, target),
      );
      response.on('error', () => {}); // it is told by readBody; when nobody reads, by nobody
      const next = redirectTarget(response, target);
      if (next) return next;
      if (response.statusCode !== 200) throw statusError(response.statusCode, target.host);
      return await readBody(response, target.host, settings.maxImageBytes);
    } finally {
      signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  async function follow(first: TargetUrl, signal: AbortSignal): Promise<Uint8Array> {
    let target = first;
    for (let redirects = 0; redirects <= settings.maxRedirects; redirects += 1) {
      const outcome = await hop(target, signal);
      if (outcome instanceof Uint8Array) return outcome;
      target = outcome;
    }
    throw new OperatorError(
      'URL_BAD_RESPONSE',
      `${first.host} redirects more than ${settings.maxRedirects} times (--url-max-redirects)`,
    );
  }

  return {
    async fetch(url, signal) {
      if (!settings.enabled) {
        throw new OperatorError('URL_FETCH_OFF', 'URLs are not fetched here (--url-fetch off)');
      }
      const target = parseTargetUrl(url);
      const release = await slots.acquire(signal, signal);
      const late = () =>
        new OperatorError(
          'URL_TIMEOUT',
          `${target.host} took longer than ${spell(settings.timeoutMs)} (--url-timeout)`,
        );
      try {
        return await withTimeLimit(signal, settings.timeoutMs, late, (limited) =>
          follow(target, limited),
        );
      } finally {
        release();
      }
    },
  };
}
