import type { Socket } from 'node:net';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';

/** What a client that speaks HTTP/2 begins with, and no HTTP/1.1 request does. */
const preface = Buffer.from('PRI ');

/** A short request, or the beginning of HTTP/2; an upload has sent tens of kilobytes by the time that it is looked at. */
const aFewBytes = 4096;

/** Reads until it is clear which protocol this is, and puts back what was read. */
export function sniff(
  socket: Socket,
  loop: LoopScheduler,
  decide: (isHttp2: boolean) => void,
): void {
  let read: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
    const known = Math.min(read.length, preface.length);
    const same = read.subarray(0, known).equals(preface.subarray(0, known));
    if (same && known < preface.length) return;
    socket.off('data', onData);
    socket.pause();
    // Many that were waiting for their first bytes may have got them in the same moment.
    loop.schedule(read.length <= aFewBytes ? 'greeting' : 'connection', () => {
      if (socket.destroyed) return;
      socket.unshift(read);
      decide(same);
      socket.resume();
    });
  };
  socket.on('data', onData);
}
