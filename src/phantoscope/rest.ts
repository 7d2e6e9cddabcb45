/** HTTP to Phantoscope's API server, bounded in time and size, with every failure put into words. */
import { addressReason } from '../system-error.ts';
import { PhantoscopeError, printable, reason } from './failure.ts';

/** The part of `fetch` that is used here; tests give their own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RestReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
}

export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  /** Begins with `/v1/`. */
  readonly path: string;
  readonly body?: Record<string, string>;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMs?: number;
}

export interface Rest {
  readonly url: string;
  /**
   * @returns whatever was answered, any status
   * @throws PhantoscopeError `unreachable` or `not-phantoscope`; the signal's reason when it is aborted
   */
  call(request: RestRequest): Promise<RestReply>;
}

export interface RestOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly fetch?: Fetch | undefined;
  /** @default 10000 */
  readonly timeoutMs?: number | undefined;
  /** Longest body accepted, in bytes. A record is below 1 KB; a list of all operators far below this. @default 1 MiB */
  readonly maxBytes?: number | undefined;
}

export function createRest(options: RestOptions): Rest {
  const { url, signal, timeoutMs = 10_000, maxBytes = 1024 * 1024 } = options;
  const send: Fetch = options.fetch ?? fetch;

  async function call(request: RestRequest): Promise<RestReply> {
    const limit = request.timeoutMs ?? timeoutMs;
    const what = `${request.method} ${url}${request.path}`;
    const late = AbortSignal.timeout(limit);
    const either = AbortSignal.any([signal, late]);
    try {
      const response = await send(url + request.path, {
        method: request.method,
        // A redirected POST would become a GET, and a registration would seem to have worked.
        redirect: 'manual',
        // Minutes pass between two calls: a kept connection has been closed by then, and a POST on it is lost.
        keepalive: false,
        signal: either,
        // Flask refuses an empty body that is said to be JSON: the label is for requests that have one.
        headers: {
          accept: 'application/json',
          ...(request.body && { 'content-type': 'application/json' }),
        },
        ...(request.body && { body: JSON.stringify(request.body) }),
      });
      refuseRedirect(response, what);
      const text = await readText(response, maxBytes, what, either);
      return { status: response.status, headers: response.headers, text, json: parse(text) };
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof PhantoscopeError) throw thrown;
      const words = late.aborted
        ? `no complete answer within ${limit / 1000} s`
        : (addressReason(thrown) ?? reason(thrown));
      throw new PhantoscopeError(
        'unreachable',
        `${what}: ${words}; is Phantoscope's API server running there?`,
        thrown,
      );
    }
  }
  return { url, call };
}

function refuseRedirect(response: Response, what: string): void {
  if (response.status < 300 || response.status > 399) return;
  const to = printable(response.headers.get('location') ?? 'nowhere');
  throw new PhantoscopeError(
    'not-phantoscope',
    `${what} redirects to ${to}: give the address that it leads to, if that is Phantoscope's`,
  );
}

async function readText(
  response: Response,
  maxBytes: number,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  // Not every body ends when the signal fires: a test's own, or one that stalls below the HTTP layer.
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      size += value.length;
      if (size > maxBytes) {
        stop();
        throw new PhantoscopeError(
          'not-phantoscope',
          `${what} answered more than ${maxBytes} bytes, far more than Phantoscope would`,
        );
      }
      chunks.push(value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer as an object, or undefined. */
export function asRecord(json: unknown): Record<string, unknown> | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Record<string, unknown>)
    : undefined;
}

/** Status and words of an answer that was not the hoped-for one: Phantoscope's `{message, error}`, or a page's text. */
export function describeReply(reply: RestReply): string {
  const body = asRecord(reply.json);
  const say = (value: unknown): string =>
    typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  const words = body
    ? [say(body.error), say(body.message)].filter((word) => word !== '').join(': ') || reply.text
    : reply.text;
  return `status ${reply.status}${words.trim() ? `, "${printable(words)}"` : ''}`;
}
