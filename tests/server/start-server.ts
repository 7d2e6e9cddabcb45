/** A server in this process on a free port of loopback, with a fake embedder behind it. */

import type { Client } from '@connectrpc/connect';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { pino } from 'pino';
import type { Config } from '../../src/config/options.ts';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';
import type { Embedder } from '../../src/embedder/embedder.ts';
import { Operator } from '../../src/gen/omnisearch/operator_pb.ts';
import { createServer, type OperatorServer } from '../../src/server/create-server.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeEmbedder, type FakeEmbedder } from '../support/fake-embedder.ts';

export type LogLine = Record<string, unknown>;

export interface TestServer extends AsyncDisposable {
  readonly server: OperatorServer;
  readonly embedder: FakeEmbedder;
  readonly port: number;
  readonly url: string;
  readonly logs: LogLine[];
  /** Waits until a line fits. @throws Error after 20 s */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
}

export interface TestServerOptions {
  readonly config?: Partial<Config>;
  /** Instead of the fake one, at once. */
  readonly opening?: Promise<Embedder>;
}

export const defaults: Config = parseCommandLine([], {}, ['serve']).config;

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const logs: LogLine[] = [];
  const embedder = createFakeEmbedder({ limits: { ...defaults, ...options.config } });
  const server = createServer({
    config: {
      ...defaults,
      listen: { host: '127.0.0.1', port: 0, text: '127.0.0.1:0' },
      ...options.config,
    },
    log: pino({ level: 'debug', base: null }, { write: (line) => logs.push(JSON.parse(line)) }),
    embedder: options.opening ?? Promise.resolve(embedder),
  });
  const { port } = await server.listen();
  return {
    server,
    embedder,
    port,
    url: `http://127.0.0.1:${port}`,
    logs,
    logged: (fits) => eventually(() => logs.find(fits)),
    [Symbol.asyncDispose]: async () => {
      await server.close();
    },
  };
}

const grpcWeb = (baseUrl: string, httpVersion: '1.1' | '2'): Transport =>
  createGrpcWebTransport({ baseUrl, httpVersion });
const connect = (baseUrl: string, httpVersion: '1.1' | '2', useBinaryFormat: boolean): Transport =>
  createConnectTransport({ baseUrl, httpVersion, useBinaryFormat });

/** Every way of Connect's own clients. */
export const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'gRPC, HTTP/2': (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-web, HTTP/1.1': (baseUrl) => grpcWeb(baseUrl, '1.1'),
  'gRPC-web, HTTP/2': (baseUrl) => grpcWeb(baseUrl, '2'),
  'Connect JSON, HTTP/1.1': (baseUrl) => connect(baseUrl, '1.1', false),
  'Connect JSON, HTTP/2': (baseUrl) => connect(baseUrl, '2', false),
  'Connect binary, HTTP/1.1': (baseUrl) => connect(baseUrl, '1.1', true),
  'Connect binary, HTTP/2': (baseUrl) => connect(baseUrl, '2', true),
};

export const grpcClient = (url: string): Client<typeof Operator> =>
  createClient(Operator, createGrpcTransport({ baseUrl: url }));

/**
 * Begins an Execute. @returns when the operator has it, for what comes on one connection is taken in its order; `call` is how
 * it ends
 */
export async function beginExecute(
  url: string,
  datas: string[],
): Promise<{ call: Promise<unknown> }> {
  const client = grpcClient(url);
  const call = client.execute({ datas });
  call.catch(() => {});
  await client.healthy({});
  return { call };
}

/** The Connect protocol's JSON, as `curl` would send it. */
export async function postJson(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${url}/omnisearch.Operator/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
