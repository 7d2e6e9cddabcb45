/** Puts the server together: one port, three calls, health, reflection, probes, the page and whatever routes are added. */
import { type AddressInfo, isIPv6, type Server } from 'node:net';
import { createConnectRouter } from '@connectrpc/connect';
import type { Config } from '../config/options.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { formatHostPort } from '../endpoint.ts';
import { OperatorError } from '../errors.ts';
import { Health } from '../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { Operator } from '../gen/omnisearch/operator_pb.ts';
import type { Log } from '../log.ts';
import { pageRoutes } from '../page/page-routes.ts';
import { type Connections, createConnections } from './connections.ts';
import { createCors } from './cors.ts';
import { createFront, type FrontConfig } from './front.ts';
import { createHealthService } from './health-service.ts';
import type { RpcHandler } from './http-types.ts';
import { createInfoRoute } from './info-route.ts';
import { receiveExecute } from './intake/receive-execute.ts';
import { createOperatorService } from './operator-service.ts';
import { createProbes } from './probes.ts';
import { createReadiness, type ServingState } from './readiness.ts';
import { createReflectionServices } from './reflection-service.ts';
import { acceptCompression, compressMinBytes } from './reply-encoding.ts';
import { createRequestHandler } from './request-handler.ts';
import type { Routes } from './routes.ts';
import { createTurns } from './turns.ts';

export type ServerConfig = FrontConfig &
  Pick<
    Config,
    | 'endpoint'
    | 'listen'
    | 'corsOrigin'
    | 'maxImages'
    | 'maxMessageBytes'
    | 'stallTimeout'
    | 'requestTimeout'
    | 'drainTimeout'
  >;

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly log: Log;
  /** Settles once the model is warm; until then calls are answered with NOT_READY, and `/readyz` with 503. */
  readonly embedder: Promise<Embedder>;
  /** Told by `/info`. @default 'unknown' */
  readonly version?: string;
  /** Added to the probes, `/info` and the page; the same path here takes precedence. */
  readonly routes?: Routes;
}

export interface OperatorServer {
  /**
   * @returns where it listens, `host:port` with an IPv6 host in brackets
   * @throws Error with the `code` of Node's error: EADDRINUSE, EACCES, EADDRNOTAVAIL …
   */
  listen(): Promise<{ readonly address: string; readonly port: number }>;
  readonly state: ServingState;
  /** Calls and requests being answered. */
  readonly calls: number;
  /**
   * Refuses new calls, lets running ones finish for at most `drainTimeout`, then closes everything.
   * @returns how many calls were cut off
   */
  close(): Promise<number>;
}

/** Most bytes of a request that holds no images. */
const smallMessage = 64 * 1024;

export function createServer(options: ServerOptions): OperatorServer {
  const { config, log } = options;
  const readiness = createReadiness(options.embedder);
  const connections = createConnections();
  const turns = createTurns();
  const shutdown = new AbortController();

  const router = createConnectRouter({
    acceptCompression,
    compressMinBytes,
    readMaxBytes: smallMessage,
    writeMaxBytes: config.maxMessageBytes,
    shutdownSignal: shutdown.signal,
  });
  const operator = createOperatorService(readiness, config);
  const { method } = Operator;
  router.rpc(method.execute, operator.execute, { readMaxBytes: config.maxMessageBytes });
  router.rpc(method.healthy, operator.healthy);
  router.rpc(method.identity, operator.identity);
  router.service(Health, createHealthService(readiness));
  const reflection = createReflectionServices(readiness);
  router.service(ServerReflection, reflection.v1);
  router.service(ServerReflectionAlpha, reflection.v1alpha);

  const rpcs = router.handlers as readonly (RpcHandler & { readonly requestPath: string })[];

  const front = createFront({
    config,
    connections,
    log,
    turns,
    refuseHttp2: () => readiness.state === 'draining',
    onRequest: createRequestHandler({
      rpcs: rpcs.map((rpc) =>
        rpc.method === method.execute ? receiveExecute(rpc, { ...config, readiness, turns }) : rpc,
      ),
      routes: {
        ...pageRoutes,
        ...createProbes(readiness),
        ...createInfoRoute(readiness, options.version ?? 'unknown'),
        ...options.routes,
      },
      cors: createCors(config.corsOrigin),
      readiness,
      log,
      requestTimeout: config.requestTimeout,
      stallTimeout: config.stallTimeout,
      maxMessageBytes: config.maxMessageBytes,
    }),
  });

  return {
    get calls() {
      return connections.calls;
    },
    get state() {
      return readiness.state;
    },
    async listen() {
      const { address, port } = await listen(front, config);
      return { address: formatHostPort(address, port), port };
    },
    async close() {
      readiness.drain();
      const cut = await drain(connections, config.drainTimeout, () =>
        shutdown.abort(new OperatorError('DRAINING', 'the operator is shutting down')),
      );
      connections.stop();
      connections.destroyAll();
      await new Promise<void>((resolve) => front.close(() => resolve()));
      return cut;
    },
  };
}

async function listen(front: Server, config: ServerConfig): Promise<AddressInfo> {
  const { host, port } = config.listen ?? { host: '', port: config.endpoint.port };
  if (host !== '') return listenAt(front, host, port);
  try {
    return await listenAt(front, '::', port);
  } catch (error) {
    // A host without IPv6.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(code)) throw error;
    return listenAt(front, '0.0.0.0', port);
  }
}

function listenAt(front: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    front.once('error', reject);
    front.listen({ host, port, ipv6Only: isIPv6(host) && host !== '::' }, () => {
      front.off('error', reject);
      resolve(front.address() as AddressInfo);
    });
  });
}

/** How long calls that were cut off get to tell their clients, in milliseconds. */
const lastWords = 200;

async function drain(connections: Connections, most: number, cutOff: () => void): Promise<number> {
  const drained = connections.drain().then(() => 'drained' as const);
  if ((await Promise.race([drained, after(most)])) === 'drained') return 0;
  const cut = connections.calls;
  cutOff();
  await Promise.race([drained, after(lastWords)]);
  return cut;
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
