import type { Socket } from 'node:net';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';

/** Over HTTP/1.1: what has come of a request and not been taken. HTTP/2 has windows for that. */
const maxUnread = 1 << 20;

/** What comes in pieces of so few bytes is no large upload. */
const shortRequest = 16 << 10;

/** How often it is looked at then, milliseconds. */
const lookEvery = 5;

/**
 * Lets the other connections have their turn after each piece that it brings, and waits for those who read slowly, such as
 * whoever unpacks: Bun 1.4.5 itself has no limit to what a request over HTTP/1.1 holds unread.
 * @param unread - bytes
 */
export function readInTurns(socket: Socket, loop: LoopScheduler, unread: () => number): void {
  // As Node's HTTP server marks a socket that must not be read now: else each piece that is taken from the request resumes it.
  const marked: Socket & { _paused?: boolean } = socket;
  const goOn = (): void => {
    if (socket.destroyed) return;
    if (unread() > maxUnread) return void setTimeout(goOn, lookEvery);
    const resume = (): void => {
      marked._paused = false;
      socket.resume();
    };
    loop.schedule('read', resume, () => socket.destroyed);
  };
  socket.on('data', (chunk: Buffer) => {
    // A short request is read whole already: whoever had it wait its turn would have the answer's reader wait, too.
    if (chunk.length <= shortRequest && unread() <= maxUnread) return;
    if (socket.isPaused() || (loop.hasTime('read') && unread() <= maxUnread)) return;
    marked._paused = true;
    socket.pause();
    goOn();
  });
}
