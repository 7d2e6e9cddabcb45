/** What the attacks of `attacks.ts` are made of: bytes over HTTP/1.1, frames over HTTP/2, and how it ended. */
import { connect } from 'node:net';
import * as http2 from '../tests/limits/support/raw-http2.ts';

export const path = '/omnisearch.Operator/Execute';
const { frame, frameType, fields, grpcFields, endHeaders, endStream } = http2;

/** Bytes over a connection; what comes back until it is closed, or for so long. */
export async function talk(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  ms = 10_000,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  let over = false;
  socket.on('data', (chunk: Buffer) => {
    said += said.length < 10_000 ? chunk.toString('latin1') : '';
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => {
    over = true;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  const answered = (): boolean => over || /\r\n\r\n[\s\S]*\}\n?$/.test(said);
  const begun = performance.now();
  const late = (): boolean => performance.now() - begun > ms;
  let room = true;
  socket.on('drain', () => {
    room = true;
  });
  for (let i = 0; i < pieces.length && !answered() && !late(); i++) {
    room = socket.write(pieces[i] ?? '');
    while (!room && !answered() && !late()) await Bun.sleep(1);
  }
  while (!answered() && !late()) await Bun.sleep(1);
  socket.destroy();
  const message = /"(?:message|error)":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1];
  const status = said.slice(9, said.indexOf('\r\n'));
  return said === '' ? (over ? 'closed without a word' : 'nothing') : `${status}: ${message ?? ''}`;
}
export const post = (
  body: string | Uint8Array,
  ...headers: readonly string[]
): (string | Uint8Array)[] => [
  [
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'Content-Type: application/json',
    'Connection: close',
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '\r\n',
  ].join('\r\n'),
  body,
];
export const chunked = (
  piece: Uint8Array,
  count: number,
  ...headers: readonly string[]
): (string | Uint8Array)[] => [
  [
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    ...headers,
    '\r\n',
  ].join('\r\n'),
  ...Array<Buffer>(count).fill(
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  ),
];

const isAnEnd = ({ type, flags }: http2.Frame): boolean =>
  type === frameType.resetStream ||
  type === frameType.goAway ||
  (type === frameType.headers && (flags & endStream) !== 0);

/** Frames over a connection of HTTP/2; how it ends. */
export async function frames(
  port: number,
  list: readonly Uint8Array[],
  ms = 10_000,
  isEnd: (frame: http2.Frame) => boolean = isAnEnd,
): Promise<string> {
  using connection = await http2.openRaw(port);
  let over = false;
  void connection.closed.then(() => {
    over = true;
  });
  const ends = (): http2.Frame | undefined => connection.frames.find(isEnd);
  for (let i = 0; i < list.length && !over && !ends(); i++)
    await connection.send(list[i] ?? Buffer.alloc(0));
  for (const begun = performance.now(); !over && !ends() && performance.now() - begun < ms; )
    await Bun.sleep(1);
  const last = ends();
  if (last?.type === frameType.resetStream) return `stream reset (${last.payload.readUInt32BE()})`;
  if (last?.type === frameType.goAway) return `connection ended (${last.payload.readUInt32BE(4)})`;
  return last ? 'answered with trailers' : over ? 'connection closed' : 'nothing';
}
export const headers = (
  method: string,
  stream = 1,
  more = {},
  flags: number = endHeaders,
): Buffer => frame(frameType.headers, flags, stream, fields({ ...grpcFields(method), ...more }));
export const many = (one: Uint8Array, count = 1000): Buffer =>
  Buffer.concat(Array<Uint8Array>(count).fill(one));
