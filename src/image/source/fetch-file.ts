/** One file by its URL: hop by hop, each judged, within limits of time and size. */
import { OperatorError } from '../../errors.ts';
import { parseAllowList } from './allow-list.ts';
import { connect } from './connect.ts';
import { createFetchMemory, type FetchedFile } from './fetch-memory.ts';
import { httpGet } from './http-get.ts';
import { readBody } from './read-body.ts';
import { redirectTarget, statusError } from './redirect.ts';
import { resolveTarget } from './resolve-target.ts';
import { createSystemResolve, type Resolve, systemAddresses } from './system-resolver.ts';
import { parseTargetUrl, type TargetUrl } from './target-url.ts';
import { spell, withTimeLimit } from './time-limit.ts';

/** What may cross to another thread. */
export interface FetchFileOptions {
  /** Most bytes of a file, unpacked. */
  readonly maxImageBytes: number;
  /** Most bytes of all files, from their first byte until they are released; at least `maxImageBytes` are granted. */
  readonly maxFetchedBytes: number;
  /** Networks, addresses and hosts let through although they are not public; see `parseAllowList`. */
  readonly allow: readonly string[];
  /** Look-up, connection and TLS of one hop, milliseconds. */
  readonly connectTimeoutMs: number;
  /** From the request to the complete header of the response, milliseconds. */
  readonly firstByteTimeoutMs: number;
  readonly maxRedirects: number;
  /** Certificates to trust instead of the built-in ones, PEM. */
  readonly ca?: readonly string[] | undefined;
}

/** What tests put in the place of the machine's own. */
export interface FetchFileSeams {
  readonly resolve?: Resolve;
  readonly ownAddresses?: () => readonly string[];
}

/**
 * @throws OperatorError URL_INVALID, URL_FORBIDDEN, URL_UNREACHABLE, URL_TIMEOUT, URL_BAD_RESPONSE, IMAGE_TOO_LARGE,
 * OVERLOADED; CANCELLED, DEADLINE or the signal's own OperatorError when it fires
 */
export type FetchFile = (url: string, signal: AbortSignal) => Promise<FetchedFile>;

/** @throws ConfigError when an entry of `allow` cannot be read */
export function createFetchFile(options: FetchFileOptions, seams: FetchFileSeams = {}): FetchFile {
  const { connectTimeoutMs, firstByteTimeoutMs, maxImageBytes, maxRedirects, ca } = options;
  const memory = createFetchMemory(Math.max(options.maxFetchedBytes, maxImageBytes));
  const resolution = {
    allow: parseAllowList(options.allow),
    resolve: seams.resolve ?? createSystemResolve(),
    ownAddresses: seams.ownAddresses ?? systemAddresses,
  };

  async function open(target: TargetUrl, signal: AbortSignal) {
    const start = performance.now();
    const late = () =>
      timeout(`the name ${target.host} did not resolve`, connectTimeoutMs, '--url-connect-timeout');
    const addresses = await withTimeLimit(signal, connectTimeoutMs, late, () =>
      resolveTarget(target, resolution),
    );
    const left = Math.max(1, connectTimeoutMs - (performance.now() - start));
    return connect(target, addresses, { timeoutMs: connectTimeoutMs, left, ca }, signal);
  }

  /** The file, or where the server sends us instead. */
  async function hop(target: TargetUrl, signal: AbortSignal): Promise<FetchedFile | TargetUrl> {
    const socket = await open(target, signal);
    const hangUp = () => socket.destroy();
    signal.addEventListener('abort', hangUp, { once: true });
    try {
      const late = () =>
        timeout(`${target.host} did not answer`, firstByteTimeoutMs, '--url-first-byte-timeout');
      const response = await withTimeLimit(signal, firstByteTimeoutMs, late, () =>
        httpGet(socket, target),
      );
      response.on('error', () => {}); // it is told by readBody; when nobody reads, by nobody
      const next = redirectTarget(response, target);
      if (next) return next;
      if (response.statusCode !== 200) throw statusError(response.statusCode, target.host);
      return await readBody(response, { host: target.host, maxBytes: maxImageBytes, memory });
    } finally {
      signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  return async (url, signal) => {
    const first = parseTargetUrl(url);
    let target = first;
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const outcome = await hop(target, signal);
      if ('bytes' in outcome) return outcome;
      target = outcome;
    }
    throw new OperatorError(
      'URL_BAD_RESPONSE',
      `${first.host} redirects more than ${maxRedirects} times (--url-max-redirects)`,
    );
  };
}

const timeout = (said: string, ms: number, flag: string) =>
  new OperatorError('URL_TIMEOUT', `${said} within ${spell(ms)} (${flag})`);
