/** Clients that are gone, and those that have only said all. */
import type { Socket } from 'node:net';
import type { Exchanges } from './exchanges.ts';

/** How often it is looked over HTTP/1.1 whether somebody is still there, milliseconds. */
const lookEvery = 500;

/**
 * Over HTTP/1.1 a client may close its half once it has asked, and one that was killed looks alike: until something is sent to
 * it, which its system then refuses. So a client that has closed its half and waits is sent `102 Processing` (RFC 2518,
 * 10.1), which every client passes over (RFC 9110, 15.2). In the midst of an answer nothing can be sent but the answer: where
 * it pauses it is a stream, and whoever has closed its half of one is taken for gone.
 */
export function watchHalfClosed(socket: Socket, exchanges: Exchanges): void {
  let written = -1;
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    // What waits to be sent tells it.
    if (socket.writableLength > 0) return;
    const pauses = socket.bytesWritten === written && exchanges.isBeingAnswered(socket);
    written = socket.bytesWritten;
    if (pauses) socket.destroy();
    else if (exchanges.mayBeAsked(socket)) socket.write('HTTP/1.1 102 Processing\r\n\r\n');
  }, lookEvery);
  socket.once('close', () => clearInterval(timer));
}
