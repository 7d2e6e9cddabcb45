import type { Socket } from 'node:net';

/** A client whose request was answered early may have all of it to send still: for so many milliseconds, so many bytes. */
const bounds = { longest: 10_000, most: 128 << 20 };

/**
 * Whoever closes a connection while its client still sends takes from it what it has not read yet, above all the answer (RFC
 * 9112, 9.6). So where an answer says `Connection: close` our half is closed behind it, and what comes is thrown away until the
 * client has closed its own. Node's servers call `destroySoon` for it. To be called when all that reads requests from the
 * socket listens to it, and nothing else does.
 */
export function lingerWhenClosed(
  socket: Socket & { _paused?: boolean },
  onLinger: () => void,
  { longest, most } = bounds,
): void {
  const readers = socket.listeners('data') as ((chunk: Buffer) => void)[];
  let lingers = false;
  socket.destroySoon = () => {
    if (lingers || socket.destroyed) return;
    lingers = true;
    onLinger();
    if (!socket.writableEnded) socket.end();
    // No further request is begun: its answer could not be sent.
    for (const reader of readers) socket.off('data', reader);
    let bytes = 0;
    socket.on('data', ({ length }: Buffer) => {
      bytes += length;
      if (bytes > most) socket.destroy();
    });
    const timer = setTimeout(() => socket.destroy(), longest);
    socket.once('close', () => clearTimeout(timer));
    socket._paused = false;
    socket.resume();
  };
}
