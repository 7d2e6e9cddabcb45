import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Over HTTP/1.1, the requests of each connection that are not answered yet, in their order. */
export interface Exchanges {
  begin(request: IncomingMessage, response: ServerResponse): void;
  /** The answer to the request that has come last is to say that the connection closes behind it, and no other. */
  closeBehindLast(socket: Socket): void;
  /** Whether the client waits for the first byte of its next answer, and may be sent a 102. */
  mayBeAsked(socket: Socket): boolean;
  /** Whether an answer has begun and is not over. */
  isBeingAnswered(socket: Socket): boolean;
  /** Whether of the request that came last there is more to come. */
  isComing(socket: Socket): boolean;
  /** Calls it as soon as nothing is to be answered any more but a request of which only a part has come. */
  afterAnswers(socket: Socket, run: () => void): void;
  /** Bytes of the request that came last, which have come and that nobody has taken. */
  unread(socket: Socket): number;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function createExchanges(): Exchanges {
  const open = new WeakMap<Socket, Set<Exchange>>();
  const last = new WeakMap<Socket, Exchange>();
  const afterwards = new WeakMap<Socket, () => void>();

  /** Whose answer's turn it is: those of later requests are kept until it is over. */
  function first(socket: Socket): Exchange | undefined {
    const [exchange] = open.get(socket) ?? [];
    return exchange?.response.socket === socket ? exchange : undefined;
  }

  function proceed(socket: Socket): void {
    const run = afterwards.get(socket);
    if (!run) return;
    for (const { request, response } of open.get(socket) ?? [])
      if (request.complete || response.headersSent) return;
    afterwards.delete(socket);
    run();
  }

  return {
    begin(request, response) {
      const { socket } = request;
      const exchanges = open.get(socket) ?? new Set();
      open.set(socket, exchanges);
      const exchange = { request, response };
      exchanges.add(exchange);
      last.set(socket, exchange);
      const end = (): void => {
        exchanges.delete(exchange);
        if (last.get(socket) === exchange) last.delete(socket);
        proceed(socket);
      };
      response.once('finish', end);
      response.once('close', end);
    },
    closeBehindLast(socket) {
      const exchanges = [...(open.get(socket) ?? [])];
      // Looked at when the header is written.
      for (const exchange of exchanges)
        exchange.response.shouldKeepAlive = exchange !== exchanges.at(-1);
    },
    mayBeAsked(socket) {
      const exchange = first(socket);
      // HTTP/1.0 has no 102 (RFC 9110, 15.2).
      return !!exchange && exchange.request.httpVersion !== '1.0' && !exchange.response.headersSent;
    },
    isBeingAnswered(socket) {
      const response = first(socket)?.response;
      return !!response && response.headersSent && !response.writableEnded;
    },
    isComing: (socket) => last.get(socket)?.request.complete === false,
    afterAnswers(socket, run) {
      afterwards.set(socket, run);
      proceed(socket);
    },
    unread(socket) {
      const request = last.get(socket)?.request;
      return request && !request.destroyed ? request.readableLength : 0;
    },
  };
}
