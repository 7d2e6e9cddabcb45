/** When a connection is read, and when it has to wait. */
import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { readInTurns } from '../../src/server/connections/read-in-turns.ts';
import { sniff } from '../../src/server/connections/sniff.ts';
import type { LoopScheduler, Priority } from '../../src/server/limits/loop-scheduler.ts';

interface Fixture {
  readonly socket: PassThrough;
  /** Of the request, not taken. */
  unread: number;
  over: boolean;
  /** What waits for its turn. */
  readonly waiting: (() => void)[];
  readonly kinds: Priority[];
  readonly loop: LoopScheduler;
}

function prepare(): Fixture {
  const waiting: (() => void)[] = [];
  const kinds: Priority[] = [];
  const loop: LoopScheduler = {
    hasTime: () => !fixture.over,
    schedule(kind, run) {
      kinds.push(kind);
      waiting.push(run);
    },
    ready: () => Promise.resolve(),
  };
  const socket = new PassThrough();
  const fixture: Fixture = { socket, unread: 0, over: false, waiting, kinds, loop };
  return fixture;
}
function start(): Fixture {
  const fixture = prepare();
  const { socket, loop } = fixture;
  readInTurns(socket as unknown as Socket, loop, () => fixture.unread);
  return fixture;
}
async function bring({ socket }: Fixture): Promise<void> {
  socket.write(Buffer.alloc(20_000));
  await Bun.sleep(1);
}

test('readInTurns, goes on reading while there is time and what came is taken', async () => {
  const fixture = start();
  fixture.unread = 1000;
  await bring(fixture);
  expect(fixture.socket.isPaused()).toBe(false);
});

test('readInTurns, pauses when the turn is over, until it has the next one', async () => {
  const fixture = start();
  fixture.over = true;
  await bring(fixture);
  expect(fixture.socket.isPaused()).toBe(true);
  expect(fixture.waiting).toHaveLength(1);
  fixture.waiting[0]?.();
  expect(fixture.socket.isPaused()).toBe(false);
});

test('readInTurns, a short request is read without a turn of its own', async () => {
  const fixture = start();
  fixture.over = true;
  fixture.socket.write('a');
  await Bun.sleep(1);
  expect(fixture.socket.isPaused()).toBe(false);
  expect(fixture.waiting).toHaveLength(0);
});

test('readInTurns, pauses while more than a megabyte has not been taken', async () => {
  const fixture = start();
  fixture.unread = 2e6;
  await bring(fixture);
  expect(fixture.socket.isPaused()).toBe(true);
  await Bun.sleep(30);
  expect(fixture.waiting).toHaveLength(0);
  fixture.unread = 1e6;
  await Bun.sleep(30);
  fixture.waiting[0]?.();
  expect(fixture.socket.isPaused()).toBe(false);
});

test('readInTurns, one that has gone is not looked at any more', async () => {
  const fixture = start();
  fixture.unread = 2e6;
  await bring(fixture);
  fixture.socket.destroy();
  fixture.unread = 0;
  await Bun.sleep(30);
  expect(fixture.waiting).toHaveLength(0);
});

test.each([
  { what: 'HTTP/2', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', kind: 'greeting', isHttp2: true },
  { what: 'a short request', text: 'GET / HTTP/1.1\r\n', kind: 'greeting', isHttp2: false },
  { what: 'an upload', text: `POST / ${'a'.repeat(10_000)}`, kind: 'connection', isHttp2: false },
] as const)('sniff, $what: takes its turn as a $kind', async ({ text, kind, isHttp2 }) => {
  const { socket, loop, waiting, kinds } = prepare();
  const decided: boolean[] = [];
  sniff(socket as unknown as Socket, loop, (is) => decided.push(is));
  socket.write(text);
  await Bun.sleep(1);
  expect(kinds).toEqual([kind]);
  waiting[0]?.();
  expect(decided).toEqual([isHttp2]);
  expect(socket.read()?.toString()).toBe(text);
});
