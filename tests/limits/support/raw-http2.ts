/** HTTP/2 frames by hand (RFC 9113), to say what no library would. */
import { connect, type Socket } from 'node:net';

export const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const acknowledge = 1;
export const endHeaders = 4;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** One setting (RFC 9113, 6.5.2). */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}
export const initialWindowSize = 4;

/** HPACK's literals that are not indexed (RFC 7541, 6.2.2), so that no state has to be kept. */
export function fields(list: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(list).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  // An integer with a prefix of 7 bits (RFC 7541, 5.1).
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let left = bytes.length - 127;
    for (; left >= 128; left >>>= 7) length.push((left & 127) | 128);
    length.push(left);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const grpcFields = (method: string): Record<string, string> => ({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': `/omnisearch.Operator/${method}`,
  ':authority': 'localhost',
  'content-type': 'application/grpc',
  te: 'trailers',
});

/** The frame that begins a call. */
export const headersOf = (method: string, stream = 1, flags: number = endHeaders): Buffer =>
  frame(frameType.headers, flags, stream, fields(grpcFields(method)));

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface RawConnection extends Disposable {
  readonly socket: Socket;
  /** What the server has sent so far. */
  readonly frames: readonly Frame[];
  /** Settles when the other side has closed it. */
  readonly closed: Promise<void>;
  /** Resolves when the bytes are with the system, or the connection is closed. */
  send(...frames: Uint8Array[]): Promise<void>;
}

/** @param settings - the client's own */
export async function openRaw(
  port: number,
  settings: Uint8Array = Buffer.alloc(0),
): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  const frames: Frame[] = [];
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      frames.push({
        type: rest.readUInt8(3),
        flags: rest.readUInt8(4),
        stream: rest.readUInt32BE(5),
        payload: rest.subarray(9, end),
      });
      rest = rest.subarray(end);
    }
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  const send = async (...list: Uint8Array[]): Promise<void> => {
    if (socket.destroyed) return;
    if (!socket.write(Buffer.concat(list)))
      await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
  };
  await send(
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(frameType.settings, 0, 0, settings),
  );
  return { socket, frames, closed, send, [Symbol.dispose]: () => socket.destroy() };
}

/** Waits for the trailers of a stream. @returns milliseconds since `begun` */
export async function answered(
  { frames, closed }: RawConnection,
  stream: number,
  begun: number,
): Promise<number> {
  const trailers = endHeaders | endStream;
  let open = true;
  void closed.then(() => {
    open = false;
  });
  const isAnswer = (f: Frame): boolean =>
    f.stream === stream && f.type === frameType.headers && (f.flags & trailers) === trailers;
  while (!frames.some(isAnswer)) {
    if (!open) throw new Error('the connection was closed without an answer');
    await Bun.sleep(1);
  }
  return performance.now() - begun;
}

/** How an ExecuteRequest with one image begins: gRPC's prefix, the field, and as much of the text as there is. */
export function beginningOfExecute(text: Uint8Array, wholeLength: number): Buffer {
  const head = [0x12];
  let left = wholeLength;
  for (; left >= 128; left >>>= 7) head.push((left & 127) | 128);
  head.push(left);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(head.length + wholeLength, 1);
  return Buffer.concat([prefix, Buffer.from(head), text]);
}
