/**
 * One port for HTTP/1.1 and HTTP/2 without TLS. The first bytes of a connection tell them apart: a client that knows that
 * it will speak HTTP/2 opens with the preface `PRI * HTTP/2.0` (RFC 9113, 3.4), which no HTTP/1.1 request begins with.
 */
import { constants, type Http2ServerRequest, type Http2Session } from 'node:http2';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { Config } from '../../config/options.ts';
import type { Log } from '../../log.ts';
import type { NodeRequest, NodeResponse, RequestHandler } from '../http-types.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import { throttle } from '../limits/throttle.ts';
import type { Connection, ConnectionHandle, Connections } from './connections.ts';
import { probeHalfClosed } from './half-closed.ts';
import { createHttp1, createHttp2, reasonOf } from './http-servers.ts';
import { readInPieces } from './read-in-pieces.ts';
import { readInTurns, sniff } from './socket-reading.ts';

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
  /** While true, HTTP/2 connections are refused before anything is read of them, so that every call can be repeated. */
  readonly refuseHttp2: () => boolean;
}

/** So many calls of a connection are begun as they come; one packet can bring hundreds, and the others wait their turn. */
const promptCalls = 4;

/** Over HTTP/1.1 a client may ask on without reading what is answered, and each open answer takes some kilobytes: so many. */
const maxPipelined = 1024;

/** The listener; `listen` and `close` are its own, the connections are in `options.connections`. */
export function createListener(options: ListenerOptions): Server {
  const { config, connections, log, loop } = options;
  const bySocket = new WeakMap<Socket, Connection>();
  const bySession = new WeakMap<Http2Session, Connection>();
  const exchanges = new WeakMap<Socket, Exchange>();

  const onRequest: RequestHandler = (request, response) => {
    // Of one that is cut off; without a listener it would be an error outside any call.
    request.on('error', (err) => log.debug(reasonOf(err), 'a request failed'));
    const connection = connectionOf(request);
    if (!('stream' in request) && connection && connection.calls >= maxPipelined) {
      if (!request.socket.destroyed)
        log.debug(`a connection with ${maxPipelined} open requests is closed`);
      return void request.socket.destroy();
    }
    const end = connection?.begin();
    response.once('close', () => end?.());
    if (!('stream' in request)) {
      const { socket } = request;
      exchanges.set(socket, { request, response });
      // What comes after the answer is thrown away: many clients read it only when they have sent all.
      response.once('finish', () => {
        if (exchanges.get(socket)?.request === request) exchanges.delete(socket);
        request.resume();
      });
    } else {
      // A stream nobody has read from is reset the moment it is answered, before the client has read the answer.
      request.read(0);
      request.stream.once('finish', () => {
        if (!request.readableEnded) setTimeout(endHalfOpen, linger, request);
      });
    }
    if (connection && connection.calls > promptCalls && !loop.hasTime('piece'))
      loop.schedule('piece', () => {
        if (!response.closed) options.onRequest(request, response);
      });
    else options.onRequest(request, response);
  };
  function connectionOf(request: NodeRequest): Connection | undefined {
    if (!('stream' in request)) return bySocket.get(request.socket);
    const { session } = request.stream;
    return session && bySession.get(session);
  }

  const http1 = createHttp1({ config, log, onRequest });
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
    let session: Http2Session | undefined;
    let ended = false;
    const handle: ConnectionHandle = {
      shut: (idle) => {
        if (!session) idle && socket.end();
        else if (!session.closed) session.close();
      },
      destroy: () => {
        session?.destroy();
        socket.destroy();
      },
      expire(flag) {
        if (!ended) log.debug(`a connection without a call is closed (${flag})`);
        handle.destroy();
      },
      patience(served) {
        const idle = session || served > 0;
        const flag = idle ? '--idle-timeout' : '--header-timeout';
        return { ms: ended ? 0 : idle ? config.idleTimeout : config.headerTimeout, flag };
      },
    };
    const connection = connections.add(handle);
    bySocket.set(socket, connection);
    socket.once('close', connection.remove);
    socket.once('end', () => {
      ended = true;
      if (!session) probeHalfClosed(socket, () => mayBeAsked(exchanges.get(socket)));
    });
    const decide = (isHttp2: boolean): void => {
      if (!isHttp2) {
        http1.emit('connection', socket);
        readInTurns(socket, loop, () => unreadOf(exchanges.get(socket)?.request));
      } else if (options.refuseHttp2()) socket.destroy();
      else {
        http2.once('session', (opened: Http2Session) => {
          session = opened;
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

/** Over HTTP/1.1, the request that has come last, and its answer. */
interface Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
}

/** Whoever waits for the first byte of its answer, with no other answer before it; HTTP/1.0 has no 102 (RFC 9110, 15.2). */
const mayBeAsked = (exchange: Exchange | undefined): boolean =>
  exchange !== undefined &&
  exchange.request.httpVersion !== '1.0' &&
  !exchange.response.headersSent &&
  exchange.response.socket === exchange.request.socket;

const unreadOf = (request: NodeRequest | undefined): number =>
  request && !request.destroyed ? request.readableLength : 0;

/** How long a client has to read an early answer: curl that is still sending takes an immediate reset for a failure. */
const linger = 500;

/**
 * An answer given before the request was read to its end leaves the stream open for the rest; RFC 9113, 8.1, lets the
 * server say that it does not want it.
 */
function endHalfOpen(request: Http2ServerRequest): void {
  if (!request.readableEnded && !request.stream.destroyed)
    request.stream.close(constants.NGHTTP2_NO_ERROR);
}
