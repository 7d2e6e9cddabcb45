/** When a connection is read, and when it has to wait. */
import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { readInTurns } from '../../src/server/socket-reading.ts';
import type { Turns } from '../../src/server/turns.ts';

interface Fixture {
  readonly socket: PassThrough;
  /** Of the request, not taken. */
  unread: number;
  over: boolean;
  /** What waits for its turn. */
  readonly waiting: (() => void)[];
}

function start(): Fixture {
  const fixture: Fixture = { socket: new PassThrough(), unread: 0, over: false, waiting: [] };
  const turns: Turns = {
    get over() {
      return fixture.over;
    },
    take: (_, run) => fixture.waiting.push(run),
    turn: () => Promise.resolve(),
  };
  readInTurns(fixture.socket as unknown as Socket, turns, () => fixture.unread);
  return fixture;
}
async function bring({ socket }: Fixture): Promise<void> {
  socket.write('a');
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
