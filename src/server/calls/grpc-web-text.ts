/**
 * gRPC-web in base64, which the classic browser client speaks by default; beneath it is plain gRPC-web.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
import { OperatorError } from '../../errors.ts';

/** A client that pads pads what it has written at once, and in a call like ours that is once or twice. */
const maxPadded = 64;

/**
 * Bytes of base64 text in chunks of any size; padding may stand at the end of any group of four.
 * @throws OperatorError REQUEST_MALFORMED
 */
export async function* decodeBase64Stream(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let rest = '';
  let padded = 0;
  for await (const chunk of chunks) {
    const text =
      rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole === 0) continue;
    const pieces = decodeGroups(text.slice(0, whole), maxPadded - padded);
    padded += pieces.length - 1;
    yield Buffer.concat(pieces);
  }
  if (rest.trim() !== '') throw invalid('ends within a group of four characters');
}

/**
 * @param text - whole groups of four characters, each of which may end in padding
 * @param most - pieces that end in padding before the text's end
 */
function decodeGroups(text: string, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < text.length; ) {
    if (pieces.length > most) throw invalid('is padded too often');
    const padding = text.indexOf('=', at);
    const end = padding < 0 ? text.length : padding - (padding % 4) + 4;
    pieces.push(decodePiece(text.slice(at, end)));
    at = end;
  }
  return pieces;
}

/** @param text - whole groups, padding in the last one at most */
function decodePiece(text: string): Uint8Array {
  const decoded = Buffer.from(text, 'base64');
  const padding = /={0,2}$/.exec(text)?.[0].length ?? 0;
  // Buffer passes over what is not base64, which shows in the length.
  if (decoded.length !== (text.length / 4) * 3 - padding) throw invalid('is not base64');
  return decoded;
}

const invalid = (problem: string): OperatorError =>
  new OperatorError('REQUEST_MALFORMED', `the body (application/grpc-web-text) ${problem}`);

/** Each chunk as base64 of its own, so that a message of a stream is readable as soon as it is there. */
export async function* encodeBase64Stream(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for await (const chunk of chunks) yield encode(chunk);
}

/** All chunks as one base64 text: some clients do not expect padding before its end. */
export async function* encodeBase64Whole(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  yield encode(Buffer.concat(all));
}

const encode = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  Buffer.from(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    'latin1',
  );
