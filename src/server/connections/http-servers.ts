/** The two servers behind the port, which get their connections from `listener.ts`. */
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { Config } from '../../config/options.ts';
import type { Log } from '../../log.ts';
import type { RequestHandler } from '../http-types.ts';
import { answerBadRequests } from './bad-requests.ts';
import type { Exchanges } from './exchanges.ts';
import { reasonOf } from './reason-of.ts';

export interface HttpServerOptions {
  readonly config: Pick<Config, 'maxConcurrentStreams' | 'maxHeaderBytes' | 'idleTimeout'>;
  readonly log: Log;
  readonly onRequest: RequestHandler;
}

/** Of HTTP/1.1, what is being answered on its connections as well. */
type Http1Options = HttpServerOptions & { readonly exchanges: Exchanges };

export function createHttp1({ config, log, exchanges, onRequest }: Http1Options): Server {
  const http1 = createHttpServer(
    { maxHeaderSize: config.maxHeaderBytes, keepAliveTimeout: config.idleTimeout },
    onRequest,
  );
  // A client may close its half once it has asked; Node documents this for net servers only.
  Object.assign(http1, { httpAllowHalfOpen: true });
  answerBadRequests(http1, { config, log, exchanges });
  return http1;
}

/**
 * What a call may send before it is read: four times HTTP/2's own, for large images over long ways. When sixty-four uploads
 * begin at once, the first windows of all are read in few turns of the loop, and whoever asks for Healthy waits for that.
 */
const streamWindow = 256 << 10;

export function createHttp2({ config, log, onRequest }: HttpServerOptions): Http2Server {
  const http2 = createHttp2Server(
    {
      settings: {
        maxConcurrentStreams: config.maxConcurrentStreams,
        maxHeaderListSize: config.maxHeaderBytes,
        initialWindowSize: streamWindow,
      },
    },
    onRequest,
  );
  http2.on('sessionError', (err) => log.debug(reasonOf(err), 'an HTTP/2 connection failed'));
  return http2;
}
