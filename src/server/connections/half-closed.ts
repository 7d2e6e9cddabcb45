/** Clients that are gone, and those that have only said all. */
import type { Socket } from 'node:net';

/** How often it is asked over HTTP/1.1 whether somebody is still there, milliseconds. */
const askEvery = 500;

/**
 * Over HTTP/1.1 a client may close its half once it has asked, and one that was killed looks alike: until something is sent to
 * it, which its system then refuses. So a client that has closed its half and waits is sent `102 Processing` (RFC 2518,
 * 10.1), which every client passes over (RFC 9110, 15.2).
 * @param waits - whether it waits for an answer of which nothing has been sent yet
 */
export function probeHalfClosed(socket: Socket, waits: () => boolean): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else if (waits() && socket.writableLength === 0)
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
  }, askEvery);
  socket.once('close', () => clearInterval(timer));
}
