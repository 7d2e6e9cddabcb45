/** What comes over HTTP/1.1 and is no request. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../../config/options.ts';
import type { Log } from '../../log.ts';
import type { Exchanges } from './exchanges.ts';
import { reasonOf } from './reason-of.ts';

export interface BadRequestOptions {
  readonly config: Pick<Config, 'maxHeaderBytes'>;
  readonly log: Log;
  readonly exchanges: Exchanges;
}

/** Answers it, after the requests that came before it: a client that is owed answers would take this for one of them. */
export function answerBadRequests(http1: Server, options: BadRequestOptions): void {
  const { config, log, exchanges } = options;
  const broken = new WeakSet<object>();
  http1.on('clientError', (err, stream) => {
    const { code = '' } = err as NodeJS.ErrnoException;
    // The connection itself has failed.
    if (!code.startsWith('HPE_')) return void stream.destroy();
    // Whatever follows has no beginning, and is read for the client's end alone.
    if (broken.has(stream)) return;
    broken.add(stream);
    log.debug(reasonOf(err), 'not an HTTP request');
    // It came behind a request that closes the connection (RFC 9112, 9.6), and many clients end a body with a line break.
    if (code === 'HPE_CLOSED_CONNECTION') return;
    const socket = stream as Socket;
    exchanges.afterAnswers(socket, () => {
      if (socket.writable) socket.write(replyTo(code, config.maxHeaderBytes));
      socket.destroySoon();
    });
  });
}

function replyTo(code: string, maxHeaderBytes: number): string {
  return code === 'HPE_HEADER_OVERFLOW'
    ? bareReply(
        '431 Request Header Fields Too Large',
        `at most ${maxHeaderBytes} bytes of header are allowed (--max-header-bytes)`,
      )
    : bareReply('400 Bad Request', 'this is not an HTTP request');
}

function bareReply(status: string, sentence: string): string {
  const body = `${JSON.stringify({ error: sentence })}\n`;
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
