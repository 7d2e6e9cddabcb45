/** The body of a response, unpacked, counted while it streams. */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { OperatorError } from '../../errors.ts';

/** RFC 9110, section 8.4.1: names of content codings, compared without regard to case. */
const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Reads a body of at most `maxBytes` bytes, both as it is sent and as it is unpacked, and stops reading at the first byte
 * beyond. Nothing is set aside on the word of a Content-Length.
 *
 * @returns bytes in a buffer of their own, which may be transferred to another thread
 * @throws OperatorError IMAGE_TOO_LARGE, URL_BAD_RESPONSE, URL_UNREACHABLE when the body ends early
 */
export async function readBody(
  response: IncomingMessage,
  host: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const coding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const collected = createCollector(maxBytes);
  try {
    if (coding === 'identity' || coding === '') {
      await pipeline(response, collected.write);
    } else {
      const unpacker = Object.hasOwn(unpackers, coding) ? unpackers[coding] : undefined;
      if (!unpacker) {
        throw new OperatorError(
          'URL_BAD_RESPONSE',
          `${host} answered in a content encoding other than gzip, deflate and br`,
        );
      }
      await pipeline(response, (source) => capped(source, maxBytes), unpacker(), collected.write);
    }
  } catch (thrown) {
    throw bodyError(thrown, host, coding);
  }
  return collected.bytes();
}

function bodyError(thrown: unknown, host: string, coding: string): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR_')) {
    const message = `the answer of ${host} cannot be unpacked as ${coding}`;
    return new OperatorError('URL_BAD_RESPONSE', message, { cause: thrown });
  }
  const message = `${host} closed the connection before the end of its answer`;
  return new OperatorError('URL_UNREACHABLE', message, { cause: thrown });
}

type Chunks = AsyncIterable<Buffer>;

async function* capped(source: Chunks, maxBytes: number): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of source) {
    count += chunk.length;
    if (count > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

/**
 * One buffer that doubles, instead of a list of chunks: a server that sends a byte at a time would otherwise cost a hundred
 * bytes of bookkeeping for each.
 */
function createCollector(maxBytes: number) {
  let buffer = new Uint8Array(65_536);
  let length = 0;
  return {
    async write(source: Chunks): Promise<void> {
      for await (const chunk of source) {
        const needed = length + chunk.length;
        if (needed > maxBytes) throw tooLarge(maxBytes);
        if (needed > buffer.length) {
          const capacity = Math.min(Math.max(needed, buffer.length * 2), maxBytes);
          buffer = new Uint8Array(buffer.buffer.transfer(capacity));
        }
        buffer.set(chunk, length);
        length = needed;
      }
    },
    bytes: (): Uint8Array => new Uint8Array(buffer.buffer.transfer(length)),
  };
}

const tooLarge = (maxBytes: number) =>
  new OperatorError(
    'IMAGE_TOO_LARGE',
    `the file at the URL has more than ${maxBytes} bytes (--max-image-bytes)`,
  );
