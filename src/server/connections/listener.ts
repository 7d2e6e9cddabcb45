/**
 * One port for HTTP/1.1 and HTTP/2 without TLS. The first bytes of a connection tell them apart: a client that knows that
 * it will speak HTTP/2 opens with the preface `PRI * HTTP/2.0` (RFC 9113, 3.4), which no HTTP/1.1 request begins with.
 */
import type { Http2Session } from 'node:http2';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { Config } from '../../config/options.ts';
import type { Log } from '../../log.ts';
import type { NodeRequest, RequestHandler } from '../http-types.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import { throttle } from '../limits/throttle.ts';
import { beginRequests } from './begin-requests.ts';
import type { Connection, ConnectionHandle, Connections } from './connections.ts';
import { createExchanges, type Exchanges } from './exchanges.ts';
import { watchHalfClosed } from './half-closed.ts';
import { createHttp1, createHttp2 } from './http-servers.ts';
import { lingerWhenClosed } from './linger.ts';
import { readInPieces } from './read-in-pieces.ts';
import { readInTurns } from './read-in-turns.ts';
import { reasonOf } from './reason-of.ts';
import { sniff } from './sniff.ts';

export type ListenerConfig = Pick<
  Config,
  'maxConnections' | 'maxConcurrentStreams' | 'maxHeaderBytes' | 'headerTimeout' | 'idleTimeout'
>;

export interface ListenerOptions {
  readonly config: ListenerConfig;
  readonly connections: Connections;
  readonly log: Log;
  readonly loop: LoopScheduler;
  readonly onRequest: RequestHandler;
  /**
   * While true, HTTP/2 connections are refused before anything is read of them, so that every call can be repeated, and those
   * over HTTP/1.1 close behind the next answer.
   */
  readonly isDraining: () => boolean;
}

/** The listener; `listen` and `close` are its own, the connections are in `options.connections`. */
export function createListener(options: ListenerOptions): Server {
  const { config, connections, log, loop } = options;
  const bySocket = new WeakMap<Socket, Connection>();
  const bySession = new WeakMap<Http2Session, Connection>();
  const exchanges = createExchanges();

  function connectionOf(request: NodeRequest): Connection | undefined {
    if (!('stream' in request)) return bySocket.get(request.socket);
    const { session } = request.stream;
    return session && bySession.get(session);
  }

  const onRequest = beginRequests({ ...options, exchanges, connectionOf });
  const http1 = createHttp1({ config, log, exchanges, onRequest });
  const http2 = createHttp2({ config, log, onRequest });

  const warnFull = throttle(1000, () =>
    log.warn(
      `${connections.size} connections; idle ones give way, further ones are closed (--max-connections)`,
    ),
  );
  const tcp = { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true };
  return createNetServer(tcp, (socket) => {
    socket.on('error', (err) => log.debug(reasonOf(err), 'a connection failed'));
    if (connections.size >= config.maxConnections) {
      warnFull();
      if (!connections.makeRoom()) return void socket.destroy();
    }
    const wire: Wire = { session: undefined, ended: false };
    const connection = connections.add(handleOf(socket, wire, exchanges, options));
    bySocket.set(socket, connection);
    socket.once('close', connection.remove);
    socket.once('end', () => {
      wire.ended = true;
      if (!wire.session) watchHalfClosed(socket, exchanges);
    });
    const decide = (isHttp2: boolean): void => {
      if (!isHttp2) {
        http1.emit('connection', socket);
        lingerWhenClosed(socket, () => {
          // A drain waits for it as for a call, or its answer would be lost after all.
          if (options.isDraining() && exchanges.isComing(socket))
            socket.once('close', connection.begin());
        });
        readInTurns(socket, loop, () => exchanges.unread(socket));
      } else if (options.isDraining()) socket.destroy();
      else {
        http2.once('session', (opened: Http2Session) => {
          wire.session = opened;
          bySession.set(opened, connection);
        });
        http2.emit('connection', readInPieces(socket, loop));
      }
    };
    loop.schedule('arrival', () => {
      sniff(socket, loop, decide);
      socket.resume();
    });
  });
}

/** What is known of a connection as it goes on. */
interface Wire {
  /** Once it is known to be HTTP/2. */
  session: Http2Session | undefined;
  /** The client has closed its half. */
  ended: boolean;
}

function handleOf(
  socket: Socket,
  wire: Wire,
  exchanges: Exchanges,
  { config, log }: ListenerOptions,
): ConnectionHandle {
  const destroy = (): void => {
    wire.session?.destroy();
    socket.destroy();
  };
  return {
    shut: (idle) => {
      if (wire.session) wire.session.closed || wire.session.close();
      else if (idle) socket.end();
      else exchanges.closeBehindLast(socket);
    },
    destroy,
    expire(flag) {
      if (!wire.ended) log.debug(`a connection without a call is closed (${flag})`);
      destroy();
    },
    patience(served) {
      const idle = wire.session || served > 0;
      const flag = idle ? '--idle-timeout' : '--header-timeout';
      const ms = idle ? config.idleTimeout : config.headerTimeout;
      return { ms: wire.ended ? 0 : ms, flag };
    },
  };
}
