/** Servers on 127.0.0.1 that say what they are told to, byte for byte, and keep what they were asked. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createFetchFile, type FetchFileSeams } from '../../src/image/source/fetch-file.ts';
import {
  createUrlFetcher,
  type UrlFetcher,
  type UrlFetcherOptions,
} from '../../src/image/source/url-fetcher.ts';

export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** The head of every request, in order. */
  readonly requests: string[];
  readonly connections: Set<Socket>;
  /** Connections accepted so far. */
  readonly accepted: number;
  [Symbol.dispose](): void;
}

export type Answer = (socket: Socket, head: string) => void;

export async function serve(answer: Answer): Promise<LoopbackServer> {
  return wrap(createServer(), 'connection', answer);
}

/** As `serve`, over a server of another kind, such as TLS's. */
export async function wrap(server: Server, event: string, answer: Answer): Promise<LoopbackServer> {
  const requests: string[] = [];
  const connections = new Set<Socket>();
  let accepted = 0;
  server.on(event, (socket: Socket) => {
    accepted += 1;
    connections.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => connections.delete(socket));
    let head = '';
    const onData = (data: Buffer) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      requests.push(head);
      answer(socket, head);
    };
    socket.on('data', onData);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    requests,
    connections,
    get accepted() {
      return accepted;
    },
    [Symbol.dispose]() {
      for (const socket of connections) socket.destroy();
      server.close();
    },
  };
}

/** A whole response with `body`; `headers` are lines. */
export function response(body: Uint8Array | string, headers: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body);
  const head = ['HTTP/1.1 200 OK', `Content-Length: ${bytes.length}`, ...headers, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), bytes]);
}

export const redirect = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;

/** What the command line gives when nothing is asked for, but for 127.0.0.1 and small files. */
export const fetcherOptions: UrlFetcherOptions = {
  enabled: true,
  allow: ['127.0.0.1'],
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 10_000,
  timeoutMs: 30_000,
  maxRedirects: 3,
  concurrency: 16,
  maxFetchedBytes: 256 * 2 ** 20,
  maxImageBytes: 1_000_000,
};

/** The whole file, for a test that minds the memory itself. */
export const fetchWith =
  ({ withFile }: Pick<UrlFetcher, 'withFile'>) =>
  (url: string, signal: AbortSignal = new AbortController().signal) =>
    withFile(url, signal, async (file) => file);

/** A fetcher on this thread that may reach 127.0.0.1 and nothing else that is not public. */
export function openFetcher(options: Partial<UrlFetcherOptions> & FetchFileSeams = {}): UrlFetcher {
  const { resolve, ownAddresses, ...rest } = options;
  const settings = { ...fetcherOptions, ...rest };
  const seams = { ...(resolve && { resolve }), ...(ownAddresses && { ownAddresses }) };
  const fetchFile = createFetchFile(settings, seams);
  return createUrlFetcher(settings, { fetchFile, close: async () => {} });
}

export const fetcher = (options?: Parameters<typeof openFetcher>[0]) =>
  fetchWith(openFetcher(options));

/** A resolver that knows these names and no others, and counts what it is asked. */
export function names(table: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  const resolve = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    const found = table[host];
    if (!found) throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return found;
  };
  return { resolve, asked };
}

/** Runs `work` with these variables set, and puts back what was there. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
