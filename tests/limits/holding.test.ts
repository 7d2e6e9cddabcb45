/** What a few bytes once kept from all others: the compiled executable, and clients that begin and do not go on. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { LogLine } from '../support/operator.ts';
import {
  buildTimeout,
  type LimitedOperator,
  outcomeOf,
  startLimited,
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
  openRaw,
} from './support/raw-http2.ts';

let operator: LimitedOperator;
beforeAll(async () => {
  operator = await startLimited(
    ...['--max-message-bytes', '4MiB', '--max-bytes-in-flight', '8MiB', '--max-queue', '20'],
    ...['--stall-timeout', '500ms', '--request-timeout', '10s', '--max-concurrent-streams', '50'],
  );
}, buildTimeout);
afterAll(() => operator?.[Symbol.asyncDispose]());

const notAnImage = 'are not an image';
const begin = beginningOfExecute(Buffer.alloc(0), 1.3e6);

test('requests that are announced and come a byte at a time: they keep nobody out, and end by the stall', async () => {
  const since = operator.logs.length;
  const streams = Array.from({ length: 12 }, (_, i) => 2 * i + 1);
  const all = (one: (stream: number) => Buffer[]): Buffer[] => streams.flatMap(one);
  using connection = await openRaw(operator.port);
  await connection.send(
    ...all((id) => [headersOf('Execute', id), frame(frameType.data, 0, id, begin)]),
  );
  let stalled: LogLine | undefined;
  const drip = (async () => {
    for (; !stalled; await Bun.sleep(100))
      await connection.send(...all((id) => [frame(frameType.data, 0, id, Buffer.of(0x41))]));
  })();
  const text = 'a'.repeat(1.3e6);
  expect(await outcomeOf(operator.client().execute({ datas: [text] }))).toContain(notAnImage);
  stalled = await operator.logged(
    (line) => line.error === 'DEADLINE' && operator.logs.indexOf(line) >= since,
  );
  await drip;
  expect(stalled).toMatchObject({
    code: 'deadline_exceeded',
    message: 'less than 16 KiB of the request came within 0.5 s (--stall-timeout)',
  });
});

test('a request that comes slowly, but comes: answered', async () => {
  using connection = await openRaw(operator.port);
  const text = Buffer.alloc(200_000, 'a');
  await connection.send(
    headersOf('Execute'),
    frame(frameType.data, 0, 1, beginningOfExecute(Buffer.alloc(0), text.length)),
  );
  for (let at = 0; at < text.length; at += 10_000) {
    const flags = at + 10_000 >= text.length ? endStream : 0;
    await connection.send(frame(frameType.data, flags, 1, text.subarray(at, at + 10_000)));
    await Bun.sleep(100);
  }
  await answered(connection, 1, 0);
  // Trailers are packed (HPACK): what was answered stands in the log.
  const peer = `127.0.0.1:${connection.socket.localPort}`;
  const line = await operator.logged((l) => l.msg === 'call' && l.peer === peer);
  expect(line.message).toContain(notAnImage);
});

test('images that are named in two bytes, and do not come, keep nobody out', async () => {
  using connection = await openRaw(operator.port);
  const empty = Buffer.concat(Array<Buffer>(19).fill(Buffer.of(0x12, 0)));
  for (let id = 1; id < 60; id += 2) {
    const message = Buffer.concat([begin.subarray(0, 5), empty]);
    await connection.send(headersOf('Execute', id), frame(frameType.data, 0, id, message));
  }
  const text = 'a'.repeat(1000);
  expect(await outcomeOf(operator.client().execute({ datas: [text] }))).toContain(notAnImage);
});

test('calls of a method that is not there, without end, end the connection', async () => {
  using connection = await openRaw(operator.port);
  const unknown = fields({ ...grpcFields('Nothing'), ':path': '/a.b/C' });
  const one = (id: number): Buffer => frame(frameType.headers, endHeaders | endStream, id, unknown);
  for (let i = 0; i < 200_000 && !connection.socket.destroyed; i += 50)
    await connection.send(...Array.from({ length: 50 }, (_, k) => one(2 * (i + k) + 1)));
  await Promise.race([connection.closed, Bun.sleep(1000)]);
  expect(connection.socket.destroyed).toBe(true);
  expect((await operator.client().healthy({})).healthy).toBe('healthy');
}, 30_000);
