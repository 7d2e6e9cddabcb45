/** Puts the server together: one port, three calls, health, reflection, probes and the page. */
import type { Config } from '../config/options.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { formatHostPort } from '../endpoint.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { pageRoutes } from '../page/page-routes.ts';
import { createRpcs } from './calls/rpcs.ts';
import { createConnections } from './connections/connections.ts';
import { drain } from './connections/drain.ts';
import { listen } from './connections/listen.ts';
import { createListener, type ListenerConfig } from './connections/listener.ts';
import { createLoopScheduler } from './limits/loop-scheduler.ts';
import { createPlaces } from './limits/places.ts';
import { throttle } from './limits/throttle.ts';
import { createReadiness, type ServingState } from './readiness.ts';
import { createCors } from './routing/cors.ts';
import { createInfoRoute } from './routing/info-route.ts';
import { createProbes } from './routing/probes.ts';
import { createRequestHandler } from './routing/request-handler.ts';

export type ServerConfig = ListenerConfig &
  Pick<
    Config,
    | 'maxCalls'
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

/** Plain requests at once; each may hold a file of the page until it is read. */
const maxRoutes = 256;

export function createServer(options: ServerOptions): OperatorServer {
  const { config, log } = options;
  const readiness = createReadiness(options.embedder);
  const connections = createConnections();
  const loop = createLoopScheduler();
  const shutdown = new AbortController();

  const promptPlaces = createPlaces({
    most: config.maxCalls,
    are: 'requests are being answered (--max-calls)',
  });
  const warnBusy = throttle(1000, () =>
    log.warn(`${config.maxCalls} calls at once; further ones are refused (--max-calls)`),
  );

  const listener = createListener({
    config,
    connections,
    log,
    loop,
    isDraining: () => readiness.state === 'draining',
    onRequest: createRequestHandler({
      rpcs: createRpcs({
        config,
        readiness,
        loop,
        promptPlaces,
        onFull: warnBusy,
        shutdownSignal: shutdown.signal,
      }),
      probes: createProbes(readiness),
      probePlaces: promptPlaces,
      routes: { ...pageRoutes, ...createInfoRoute(readiness, options.version ?? 'unknown') },
      routePlaces: createPlaces({ most: maxRoutes, are: 'requests beside the calls are open' }),
      loop,
      cors: createCors(config.corsOrigin),
      log,
      requestTimeout: config.requestTimeout,
      stallTimeout: config.stallTimeout,
      shutdownSignal: shutdown.signal,
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
      const { address, port } = await listen(listener, config);
      return { address: formatHostPort(address, port), port };
    },
    async close() {
      readiness.drain();
      const cut = await drain(connections, config.drainTimeout, () =>
        shutdown.abort(new OperatorError('DRAINING', 'the operator is shutting down')),
      );
      connections.stop();
      connections.destroyAll();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
      return cut;
    },
  };
}
