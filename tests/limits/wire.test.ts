/** What clients do to a port, by hand, and what answers it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Code } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { failureOf } from '../support/call-failure.ts';
import { eventually } from '../support/eventually.ts';
import type { LogLine } from '../support/operator.ts';
import {
  buildTimeout,
  type LimitedOperator,
  outcomeOf,
  startLimited,
  toText,
} from './support/limited-operator.ts';
import {
  answered,
  beginningOfExecute,
  endHeaders,
  endStream,
  fields,
  frame,
  frameType,
  grpcFields,
  headersOf,
  initialWindowSize,
  openRaw,
  type RawConnection,
  setting,
  uint32,
} from './support/raw-http2.ts';

let operator: LimitedOperator;
beforeAll(async () => {
  operator = await startLimited(
    ...['--max-message-bytes', '4MiB', '--max-bytes-in-flight', '8MiB', '--max-calls', '64'],
    ...['--stall-timeout', '500ms', '--request-timeout', '3s', '--header-timeout', '500ms'],
    ...['--max-connections', '200', '--max-concurrent-streams', '50', '--max-header-bytes', '8KiB'],
    ...['--max-images', '4', '--max-image-bytes', '1MiB', '--idle-timeout', '1s'],
  );
}, buildTimeout);
afterAll(() => operator?.[Symbol.asyncDispose]());

const empty = Buffer.alloc(5);

/** The next line of a call that ended with this error. */
const loggedError = (error: string, since: number): Promise<LogLine> =>
  operator.logged(
    (line) => line.msg === 'call' && line.error === error && operator.logs.indexOf(line) >= since,
  );

const saidSince = (since: number): unknown[] => operator.logs.slice(since).map(({ msg }) => msg);

/** It still serves, or does so as soon as it has noticed that others have gone. */
async function expectHealthy(): Promise<void> {
  let outcome = '';
  for (let i = 0; i < 20 && outcome !== 'ok'; i++) {
    outcome = await outcomeOf(operator.client().healthy({}));
    if (outcome !== 'ok') await Bun.sleep(100);
  }
  expect(outcome).toBe('ok');
}

async function closedWithin({ closed }: { closed: Promise<void> }, ms: number): Promise<boolean> {
  return await Promise.race([closed.then(() => true), Bun.sleep(ms).then(() => false)]);
}
const framesOf = ({ frames }: RawConnection, type: number) => frames.filter((f) => f.type === type);

test('a message that is announced too large, refused after five bytes', async () => {
  const since = operator.logs.length;
  using connection = await openRaw(operator.port);
  const begin = beginningOfExecute(Buffer.alloc(0), 90e6);
  await connection.send(headersOf('Execute'), frame(frameType.data, 0, 1, begin));
  await answered(connection, 1, 0);
  const line = await loggedError('MESSAGE_TOO_LARGE', since);
  expect(line.message).toContain('at most 4194304 bytes are allowed (--max-message-bytes)');
  expect(Number(line.bytes)).toBeLessThan(20);
});

test('a request that comes in crumbs, refused', async () => {
  const since = operator.logs.length;
  using connection = await openRaw(operator.port);
  const begin = beginningOfExecute(Buffer.alloc(0), 1.3e6);
  const crumb = frame(frameType.data, 0, 1, Buffer.of(0x41));
  await connection.send(
    headersOf('Execute'),
    frame(frameType.data, 0, 1, begin),
    ...Array<Buffer>(5000).fill(crumb),
  );
  expect((await loggedError('REQUEST_MALFORMED', since)).message).toBe(
    'the request comes in too small pieces',
  );
});

test('an image too large, refused when its length is known', async () => {
  const since = operator.logs.length;
  using connection = await openRaw(operator.port);
  const begin = beginningOfExecute(Buffer.alloc(0), 2e6);
  await connection.send(headersOf('Execute'), frame(frameType.data, 0, 1, begin));
  const line = await loggedError('IMAGE_TOO_LARGE', since);
  expect(line.message).toMatch(/^datas\[0\]: .*\(--max-image-bytes\)$/);
  expect(Number(line.bytes)).toBeLessThan(20);
});

test('too many images, refused at the first that is too many', async () => {
  const since = operator.logs.length;
  const error = await failureOf(
    operator.client().execute({ datas: Array<string>(2000).fill('a'.repeat(1000)) }),
  );
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toBe('datas[4]: more than 4 images in one call (--max-images)');
  expect(Number((await loggedError('TOO_MANY_IMAGES', since)).bytes)).toBeLessThan(200_000);
});

test('Healthy with a message of a megabyte, refused before it comes', async () => {
  const since = operator.logs.length;
  using connection = await openRaw(operator.port);
  const begin = beginningOfExecute(Buffer.alloc(0), 1e6);
  await connection.send(headersOf('Healthy'), frame(frameType.data, 0, 1, begin));
  await answered(connection, 1, 0);
  const line = await loggedError('MESSAGE_TOO_LARGE', since);
  expect(line).toMatchObject({ method: 'Healthy', code: 'resource_exhausted' });
  expect(line.message).toContain('at most 65536 bytes are allowed');
});

test('more calls than all connections may have, refused in the words of each protocol', async () => {
  const connections = await Promise.all(Array.from({ length: 2 }, () => openRaw(operator.port)));
  for (const connection of connections)
    for (let i = 0; i < 40; i++) await connection.send(headersOf('Execute', 2 * i + 1));
  await operator.logged((line) => String(line.msg).includes('(--max-calls)'));
  await expectHealthy();
  const error = await failureOf(operator.client().execute({}));
  expect(error.code).toBe(Code.ResourceExhausted);
  expect(error.rawMessage).toBe('64 calls are being answered (--max-calls)');
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('OVERLOADED');
  const reply = await fetch(`${operator.url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(reply.status).toBe(429);
  expect(await reply.json()).toMatchObject({
    code: 'resource_exhausted',
    details: [{ debug: { reason: 'OVERLOADED' } }],
  });
  for (const connection of connections) connection.socket.destroy();
  await expectHealthy();
});

test('replies that nobody reads, given up at the time limit', async () => {
  using connection = await openRaw(operator.port, setting(initialWindowSize, 0));
  for (let i = 0; i < 40; i++)
    await connection.send(
      headersOf('Identity', 2 * i + 1),
      frame(frameType.data, endStream, 2 * i + 1, empty),
    );
  for (let waited = 0; framesOf(connection, frameType.resetStream).length < 40; waited += 50) {
    expect(waited).toBeLessThan(8000);
    await Bun.sleep(50);
  }
}, 15_000);

test('more streams than a connection may have: REFUSED_STREAM, the others go on', async () => {
  using connection = await openRaw(operator.port);
  for (let i = 0; i < 60; i++) await connection.send(headersOf('Execute', 2 * i + 1));
  await eventually(() => framesOf(connection, frameType.resetStream).length >= 10);
  const codes = framesOf(connection, frameType.resetStream).map((f) => f.payload.readUInt32BE());
  expect(codes).toEqual(Array(10).fill(7));
});

test('streams opened and reset without end, ends the connection', async () => {
  using connection = await openRaw(operator.port);
  const headers = fields(grpcFields('Execute'));
  for (let i = 0; i < 20_000 && !connection.socket.destroyed; i++) {
    const id = 2 * i + 1;
    await connection.send(
      frame(frameType.headers, endHeaders, id, headers),
      frame(frameType.resetStream, 0, id, uint32(8)),
    );
  }
  expect(await closedWithin(connection, 6000)).toBe(true);
  await expectHealthy();
}, 20_000);

test.each([
  ['pings', frame(frameType.ping, 0, 0, Buffer.alloc(8))],
  ['settings', frame(frameType.settings, 0, 0, setting(initialWindowSize, 65_535))],
  ['data without content', frame(frameType.data, 0, 1)],
])(
  '%s without end, ends the connection',
  async (_, one) => {
    using connection = await openRaw(operator.port);
    await connection.send(headersOf('Execute'));
    const many = Buffer.concat(Array<Buffer>(1000).fill(one));
    for (let i = 0; i < 1000 && !connection.socket.destroyed; i++) await connection.send(many);
    expect(await closedWithin(connection, 2000)).toBe(true);
    await expectHealthy();
  },
  20_000,
);

test('a header without end (CONTINUATION), ends the connection', async () => {
  using connection = await openRaw(operator.port);
  await connection.send(headersOf('Execute', 1, 0));
  const more = frame(frameType.continuation, 0, 1, fields({ 'x-a': 'b'.repeat(1000) }));
  for (let i = 0; i < 10_000 && !connection.socket.destroyed; i++) await connection.send(more);
  expect(await closedWithin(connection, 2000)).toBe(true);
  await expectHealthy();
}, 20_000);

test('a header that unpacks to more than it may have (HPACK), refused', async () => {
  using connection = await openRaw(operator.port);
  // A field of 3 kB, kept in the table (RFC 7541, 6.2.1), and then named 4000 times by its index (6.1).
  const value = Buffer.alloc(3000, 0x61);
  const indexed = Buffer.concat([Buffer.of(0x40, 1, 0x78, 127, 0xb9, 0x16), value]);
  const block = Buffer.concat([
    fields(grpcFields('Healthy')),
    indexed,
    Buffer.alloc(4000, 0x80 | 62),
  ]);
  await connection.send(
    frame(frameType.headers, endHeaders, 1, block),
    frame(frameType.data, endStream, 1, empty),
  );
  await Promise.race([connection.closed, Bun.sleep(500)]);
  const refused =
    connection.socket.destroyed || framesOf(connection, frameType.resetStream).length > 0;
  expect(refused).toBe(true);
  await expectHealthy();
});

/** Sends bytes and collects what comes back until the connection is closed. */
async function talk(
  bytes: string,
  ms: number,
): Promise<{ said: string; ms: number; closed: boolean }> {
  const socket = connect(operator.port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const begun = performance.now();
  socket.write(bytes);
  const ended = await closedWithin({ closed }, ms);
  socket.destroy();
  return { said, ms: performance.now() - begun, closed: ended };
}

test.each([
  ['says nothing', ''],
  ['begins a request and goes no further', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: '],
])('a connection that %s, closed at --header-timeout', async (_, bytes) => {
  const since = operator.logs.length;
  const { ms, closed } = await talk(bytes, 5000);
  expect(closed).toBe(true);
  expect(ms).toBeWithin(400, 2500);
  expect(saidSince(since)).toContain('a connection without a call is closed (--header-timeout)');
});

test('a connection that is kept without calls, closed at --idle-timeout', async () => {
  const since = operator.logs.length;
  const { ms, closed, said } = await talk('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 5000);
  expect(said).toStartWith('HTTP/1.1 200');
  expect(closed).toBe(true);
  expect(ms).toBeWithin(900, 4000);
  expect(saidSince(since)).toContain('a connection without a call is closed (--idle-timeout)');
});

test('a header over --max-header-bytes, 431 over HTTP/1.1, the stream reset over HTTP/2', async () => {
  const request = `GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(10_000)}\r\n\r\n`;
  const { said } = await talk(request, 3000);
  expect(said).toStartWith('HTTP/1.1 431');
  expect(said).toContain('at most 8192 bytes of header are allowed (--max-header-bytes)');
  using connection = await openRaw(operator.port);
  const headers = fields({ ...grpcFields('Healthy'), 'x-a': 'b'.repeat(10_000) });
  await connection.send(frame(frameType.headers, endHeaders, 1, headers));
  await eventually(() => framesOf(connection, frameType.resetStream).length > 0);
});

test('more connections than allowed, closed; the flag is in the log', async () => {
  const connections = await Promise.all(Array.from({ length: 210 }, () => openRaw(operator.port)));
  await operator.logged((line) => String(line.msg).includes('(--max-connections)'));
  const closed = await Promise.all(connections.map((connection) => closedWithin(connection, 300)));
  expect(closed.filter(Boolean).length).toBeGreaterThanOrEqual(10);
  for (const connection of connections) connection.socket.destroy();
});

test('a gzip bomb of a message, refused while it is unpacked', async () => {
  const since = operator.logs.length;
  const before = operator.forgetPeak();
  const bomb = gzipSync(beginningOfExecute(Buffer.alloc(20e6), 20e6).subarray(5));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(1);
  prefix.writeUInt32BE(bomb.length, 1);
  using connection = await openRaw(operator.port);
  const headers = fields({ ...grpcFields('Execute'), 'grpc-encoding': 'gzip' });
  await connection.send(
    frame(frameType.headers, endHeaders, 1, headers),
    frame(frameType.data, 0, 1, Buffer.concat([prefix, bomb]).subarray(0, 16_384)),
  );
  expect((await loggedError('MESSAGE_TOO_LARGE', since)).message).toContain(
    '(--max-message-bytes)',
  );
  expect(operator.peakMb - before).toBeLessThan(24);
});

test('JSON, as strict as protobuf: too many images, one too large, all too large', async () => {
  const post = async (body: string): Promise<unknown> => {
    const reply = await fetch(`${operator.url}/omnisearch.Operator/Execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return ((await reply.json()) as { message: string }).message;
  };
  expect(await post(JSON.stringify({ datas: Array(5).fill('a') }))).toContain('(--max-images)');
  expect(await post(JSON.stringify({ datas: ['a'.repeat(2e6)] }))).toContain('(--max-image-bytes)');
  expect(await post(JSON.stringify({ urls: Array(5).fill('a') }))).toContain('(--max-images)');
  expect(await post(JSON.stringify({ datas: ['a'.repeat(5e6)] }))).toContain(
    '(--max-message-bytes)',
  );
  expect(await post(JSON.stringify({ datas: [toText(Buffer.from('hello'))] }))).toContain(
    'not to an image',
  );
});

test('a call that outlasts --drain-timeout, cut off at the end; the flag is in the log', async () => {
  await using leaving = await startLimited('--drain-timeout', '100ms');
  using connection = await openRaw(leaving.port);
  const begin = beginningOfExecute(Buffer.alloc(0), 1e6);
  await connection.send(headersOf('Execute'), frame(frameType.data, 0, 1, begin));
  // Answered when the call before it is there.
  await connection.send(headersOf('Healthy', 3), frame(frameType.data, endStream, 3, empty));
  await answered(connection, 3, 0);
  leaving.kill('SIGTERM');
  const line = await leaving.logged(({ msg }) => msg?.includes('(--drain-timeout)') ?? false);
  expect(line).toMatchObject({ level: 'warn', calls: 1 });
  expect(await leaving.exited).toBe(0);
}, 30_000);
