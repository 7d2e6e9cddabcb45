/**
 * Bun 1.4.5 reads an HTTP/2 connection natively, past all listeners, half a megabyte at a time: a thousand calls in it, or a
 * hundred on each of twenty connections, are begun in one go. A stream that is no socket it reads as it is given.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';

/** As many bytes as one DATA frame of an upload has, or a hundred calls' headers. */
const pieceBytes = 16 << 10;

/** A call or two without images: may be somebody's Healthy. */
const fewBytes = 1024;

/** The connection, of which what has been read is handed on in pieces, each in its turn. */
export function readInPieces(socket: Socket, loop: LoopScheduler): Duplex {
  const pieces: Buffer[] = [];
  /** A piece waits for its turn. */
  let waits = false;
  /** Whoever reads has asked for more than it has been given. */
  let wanted = false;

  const duplex = new Duplex({
    read() {
      wanted = true;
      proceed();
    },
    write: (chunk: Buffer, encoding, done) => void socket.write(chunk, encoding, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      pieces.length = 0;
      socket.destroy();
      done(error);
    },
  });

  function proceed(): void {
    if (waits || !wanted) return;
    const [piece] = pieces;
    if (piece) {
      waits = true;
      loop.schedule(
        piece.length <= fewBytes ? 'greeting' : 'piece',
        deliver,
        () => duplex.destroyed,
      );
    } else socket.resume();
  }

  function deliver(): void {
    waits = false;
    const piece = pieces.shift();
    if (!piece || duplex.destroyed) return;
    wanted = duplex.push(piece);
    proceed();
  }

  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += pieceBytes)
      pieces.push(chunk.subarray(at, at + pieceBytes));
    socket.pause();
    proceed();
  });
  // Whoever speaks HTTP/2 closes both halves. Its calls end in one go, a hundred of them in thirty milliseconds.
  const leave = (): void => loop.schedule('call', () => duplex.destroy());
  socket.once('end', leave);
  socket.once('close', leave);
  // The socket's own errors are logged; here they come again by way of what is written.
  duplex.on('error', () => {});
  const { remoteAddress, remotePort } = socket;
  return Object.assign(duplex, { remoteAddress, remotePort });
}
