/** The two servers behind the port, which get their connections from `listener.ts`. */
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { Config } from '../../config/options.ts';
import type { Log } from '../../log.ts';
import type { RequestHandler } from '../http-types.ts';

export interface HttpServerOptions {
  readonly config: Pick<Config, 'maxConcurrentStreams' | 'maxHeaderBytes' | 'idleTimeout'>;
  readonly log: Log;
  readonly onRequest: RequestHandler;
}

export function createHttp1({ config, log, onRequest }: HttpServerOptions): Server {
  const http1 = createHttpServer(
    { maxHeaderSize: config.maxHeaderBytes, keepAliveTimeout: config.idleTimeout },
    onRequest,
  );
  // A client may close its half once it has asked; Node documents this for net servers only.
  Object.assign(http1, { httpAllowHalfOpen: true });
  http1.on('clientError', (err, socket) => {
    log.debug(reasonOf(err), 'not an HTTP request');
    const tooLarge = (err as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW';
    const most = `at most ${config.maxHeaderBytes} bytes of header are allowed (--max-header-bytes)`;
    if (!socket.writable) socket.destroy();
    else if (tooLarge) socket.end(bareReply('431 Request Header Fields Too Large', most));
    else socket.end(bareReply('400 Bad Request', 'this is not an HTTP request'));
  });
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

/** To what is no request. */
const bareReply = (status: string, sentence: string): string => {
  const body = `${JSON.stringify({ error: sentence })}\n`;
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Of an error of a connection, what may be logged: some carry the bytes that were read. */
export const reasonOf = ({ code, message }: NodeJS.ErrnoException): Record<string, unknown> => ({
  code,
  reason: message,
});
