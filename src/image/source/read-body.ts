/** The body of a response, unpacked, counted while it streams. */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { OperatorError } from '../../errors.ts';
import type { FetchedFile, FetchMemory } from './fetch-memory.ts';

/** RFC 9110, section 8.4.1: names of content codings, compared without regard to case. */
const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** A body in many small pieces costs the parser more than its bytes: so many are taken whatever their size … */
const manyPieces = 4_096;
/** … and more only while they have so many bytes on average. A packet on the internet has at least 536 (RFC 1122). */
const leastAverage = 256;

export interface ReadBodyOptions {
  readonly host: string;
  /** Most bytes of the body, both as it is sent and as it is unpacked. */
  readonly maxBytes: number;
  readonly memory: FetchMemory;
}

/**
 * Reads a body and stops at the first byte that is too many.
 *
 * @throws OperatorError IMAGE_TOO_LARGE, OVERLOADED, URL_BAD_RESPONSE; URL_UNREACHABLE when the body ends early
 */
export async function readBody(
  response: IncomingMessage,
  options: ReadBodyOptions,
): Promise<FetchedFile> {
  const { host, maxBytes } = options;
  const lengthHeader = response.headers['content-length'];
  const announced = lengthHeader === undefined ? undefined : Number(lengthHeader);
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
  const coding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const unpacker = unpackerFor(coding, host);
  try {
    const packed = watched(response, options);
    if (unpacker) return await collect(unpacked(packed, unpacker()), maxBytes, options);
    return await collect(packed, announced ?? maxBytes, options);
  } catch (thrown) {
    throw bodyError(thrown, host, coding);
  }
}

function unpackerFor(coding: string, host: string): (() => Transform) | undefined {
  if (coding === 'identity' || coding === '') return undefined;
  if (Object.hasOwn(unpackers, coding)) return unpackers[coding];
  const message = `${host} answered in a content encoding other than gzip, deflate and br`;
  throw new OperatorError('URL_BAD_RESPONSE', message);
}

function bodyError(thrown: unknown, host: string, coding: string): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR_')) {
    const message = `the answer of ${host} cannot be unpacked as ${coding}`;
    return new OperatorError('URL_BAD_RESPONSE', message, { cause: thrown });
  }
  const message = `the connection to ${host} ended before its answer did`;
  return new OperatorError('URL_UNREACHABLE', message, { cause: thrown });
}

type Chunks = AsyncIterable<Buffer>;

/** The body as it is sent, one HTTP chunk or what one read brought at a time. */
async function* watched(source: Chunks, { host, maxBytes }: ReadBodyOptions) {
  let count = 0;
  let pieces = 0;
  for await (const chunk of source) {
    count += chunk.length;
    pieces += 1;
    if (count > maxBytes) throw tooLarge(maxBytes);
    if (pieces > manyPieces && count < pieces * leastAverage) {
      throw new OperatorError('URL_BAD_RESPONSE', `${host} sends its answer in too small pieces`);
    }
    yield chunk;
  }
}

async function* unpacked(packed: Chunks, unpacker: Transform): AsyncGenerator<Buffer> {
  // A failure of `packed` destroys the unpacker with it, and the loop over the unpacker throws it. Nobody waits for the
  // pipeline itself: with a reader that stops early it may settle late.
  pipeline(packed, unpacker).catch(() => {});
  try {
    yield* unpacker;
  } finally {
    unpacker.destroy();
  }
}

/**
 * One buffer, as large as the body may become: pages that nobody has written to are not taken from the system, and the rest
 * is given back at the end. A buffer that grows would be copied, and hold its old sizes until the next collection.
 */
async function collect(
  chunks: Chunks,
  mostBytes: number,
  { maxBytes, memory }: ReadBodyOptions,
): Promise<FetchedFile> {
  const buffer = new ArrayBuffer(mostBytes);
  const room = new Uint8Array(buffer);
  let length = 0;
  const release = () => {
    memory.giveBack(length);
    length = 0;
  };
  try {
    for await (const chunk of chunks) {
      if (length + chunk.length > mostBytes) throw tooLarge(maxBytes);
      memory.take(chunk.length);
      room.set(chunk, length);
      length += chunk.length;
    }
  } catch (thrown) {
    release();
    buffer.transfer(0); // frees it now, not at the next collection
    throw thrown;
  }
  return { bytes: length === mostBytes ? room : new Uint8Array(buffer.transfer(length)), release };
}

const tooLarge = (maxBytes: number) =>
  new OperatorError(
    'IMAGE_TOO_LARGE',
    `the file at the URL has more than ${maxBytes} bytes (--max-image-bytes)`,
  );
