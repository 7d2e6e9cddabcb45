import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { NodeResponse } from '../http-types.ts';

/** Over HTTP/1.1, the request that has come last on each connection, and its answer. */
export interface Exchanges {
  begin(request: IncomingMessage, response: NodeResponse): void;
  /** Whether the client waits for the first byte of its answer, with no other answer before it, and may be sent a 102. */
  mayBeAsked(socket: Socket): boolean;
  /** Bytes of the request that have come and that nobody has taken. */
  unread(socket: Socket): number;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: NodeResponse;
}

export function createExchanges(): Exchanges {
  const last = new WeakMap<Socket, Exchange>();
  return {
    begin(request, response) {
      const { socket } = request;
      last.set(socket, { request, response });
      response.once('finish', () => {
        if (last.get(socket)?.request === request) last.delete(socket);
      });
    },
    mayBeAsked(socket) {
      const exchange = last.get(socket);
      if (!exchange) return false;
      const { request, response } = exchange;
      // HTTP/1.0 has no 102 (RFC 9110, 15.2).
      return (
        request.httpVersion !== '1.0' && !response.headersSent && response.socket === request.socket
      );
    },
    unread(socket) {
      const request = last.get(socket)?.request;
      return request && !request.destroyed ? request.readableLength : 0;
    },
  };
}
