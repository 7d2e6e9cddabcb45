/** The bytes of the one message of a unary call, without what gRPC puts around it, unpacked; in the pieces that come. */
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { malformed, tooLarge } from '../errors/request-errors.ts';

export type Chunks = AsyncIterable<Uint8Array>;

export interface MessageOptions {
  readonly maxMessageBytes: number;
  /** Is told the message's size when that is known before it comes. */
  readonly expect: (bytes: number) => void;
}

/** A message as Connect's unary calls have it: the whole body. @throws OperatorError MESSAGE_TOO_LARGE, REQUEST_MALFORMED */
export async function* bareMessage(
  body: Chunks,
  header: Headers,
  { maxMessageBytes, expect }: MessageOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const announced = Number(header.get('content-length') ?? Number.NaN);
  if (announced > maxMessageBytes) throw tooLarge(maxMessageBytes, announced);
  // What unpacks to nothing is counted as well.
  if (header.get('content-encoding') === 'gzip')
    return yield* unpacked(bounded(body, maxMessageBytes), maxMessageBytes);
  if (announced > 0) expect(announced);
  yield* bounded(body, maxMessageBytes);
}

/** A flag and a length come first: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const prefixBytes = 5;
const packedFlag = 1;

/** In front of a message of so many bytes that is not packed. */
export function prefixOf(length: number): Uint8Array {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** A message as gRPC's unary calls have it: one, behind its prefix. @throws OperatorError MESSAGE_TOO_LARGE, REQUEST_MALFORMED */
export async function* envelopedMessage(
  body: Chunks,
  { maxMessageBytes, expect }: MessageOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const { flags, length, rest } = await readPrefix(chunks);
    if (length > maxMessageBytes) throw tooLarge(maxMessageBytes, length);
    if (flags > packedFlag) throw malformed(`a message with flags ${flags}`);
    const message = exactly(chunks, rest, length);
    if (flags === packedFlag) return yield* unpacked(message, maxMessageBytes);
    expect(length);
    yield* message;
  } finally {
    // Not awaited: it may have to wait for a piece that never comes.
    void chunks.return?.();
  }
}

async function readPrefix(
  chunks: AsyncIterator<Uint8Array>,
): Promise<{ flags: number; length: number; rest: Uint8Array }> {
  let read = Buffer.alloc(0);
  while (read.length < prefixBytes) {
    const next = await chunks.next();
    if (next.done) throw malformed('there is no whole message');
    read = read.length === 0 ? Buffer.from(next.value) : Buffer.concat([read, next.value]);
  }
  return {
    flags: read.readUInt8(0),
    length: read.readUInt32BE(1),
    rest: read.subarray(prefixBytes),
  };
}

/** So many bytes, and nothing after them. */
async function* exactly(
  chunks: AsyncIterator<Uint8Array>,
  first: Uint8Array,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = length;
  for (let chunk = first; ; ) {
    if (chunk.length > left) throw malformed('there is something after the message');
    left -= chunk.length;
    if (chunk.length > 0) yield chunk;
    const next = await chunks.next();
    if (next.done) break;
    chunk = next.value;
  }
  if (left > 0) throw malformed(`the message ends ${left} bytes early`);
}

async function* bounded(chunks: Chunks, most: number): AsyncGenerator<Uint8Array, void, undefined> {
  let count = 0;
  for await (const chunk of chunks) {
    count += chunk.length;
    if (count > most) throw tooLarge(most);
    yield chunk;
  }
}

/** gzip, counted as it is unpacked: on a thread of the runtime's own, a piece at a time. */
async function* unpacked(
  packed: Chunks,
  most: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const unpacker: Transform = createGunzip({ chunkSize: 64 * 1024 });
  // Whatever fails destroys the unpacker, and the loop over it throws.
  pipeline(packed, unpacker).catch(() => {});
  try {
    yield* bounded(unpacker, most);
  } catch (thrown) {
    // Of an aborted request the code is a number.
    const code = String((thrown as NodeJS.ErrnoException).code);
    throw code.startsWith('Z_') ? malformed('it cannot be unpacked as gzip') : thrown;
  } finally {
    unpacker.destroy();
  }
}
