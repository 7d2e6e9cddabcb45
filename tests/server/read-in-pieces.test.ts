/** What an HTTP/2 connection has read is handed on in pieces, each in its turn. */
import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { readInPieces } from '../../src/server/connections/read-in-pieces.ts';
import type { LoopScheduler, Priority } from '../../src/server/limits/loop-scheduler.ts';

interface Fixture {
  readonly socket: PassThrough;
  readonly duplex: Duplex;
  /** Bytes of what was handed on. */
  readonly got: number[];
  readonly kinds: Priority[];
  /** Gives the next its turn. */
  turn(): Promise<void>;
}

function start(): Fixture {
  const waiting: (() => void)[] = [];
  const kinds: Priority[] = [];
  const loop: LoopScheduler = {
    hasTime: () => false,
    schedule(kind, run) {
      kinds.push(kind);
      waiting.push(run);
    },
    ready: () => Promise.resolve(),
  };
  // As a connection that may be half open.
  const socket = new PassThrough({ autoDestroy: false });
  const duplex = readInPieces(socket as unknown as Socket, loop);
  const turn = async (): Promise<void> => {
    waiting.shift()?.();
    await Bun.sleep(1);
  };
  const fixture: Fixture = { socket, duplex, got: [], kinds, turn };
  duplex.on('data', (piece: Buffer) => fixture.got.push(piece.length));
  return fixture;
}

async function bring({ socket }: Fixture, bytes: number): Promise<void> {
  socket.write(Buffer.alloc(bytes));
  await Bun.sleep(1);
}

test('readInPieces, much at once: in pieces, one in a turn, and no further reading until the last', async () => {
  const fixture = start();
  await bring(fixture, 40_000);
  expect(fixture.got).toEqual([]);
  for (const got of [[16_384], [16_384, 16_384], [16_384, 16_384, 7232]]) {
    expect(fixture.socket.isPaused()).toBe(true);
    expect(fixture.kinds).toHaveLength(got.length);
    await fixture.turn();
    expect(fixture.got).toEqual(got);
  }
  expect(fixture.socket.isPaused()).toBe(false);
  expect(fixture.kinds).toEqual(['piece', 'piece', 'piece']);
});

test('readInPieces, a few bytes may be a Healthy and go before', async () => {
  const fixture = start();
  await bring(fixture, 200);
  expect(fixture.kinds).toEqual(['greeting']);
});

test('readInPieces, the end waits its turn: all calls of the connection end with it', async () => {
  const fixture = start();
  fixture.socket.end();
  await Bun.sleep(1);
  expect(fixture.duplex.destroyed).toBe(false);
  expect(fixture.kinds).toEqual(['call']);
  await fixture.turn();
  expect(fixture.duplex.destroyed).toBe(true);
  expect(fixture.socket.destroyed).toBe(true);
});

test('readInPieces, one that has gone brings nothing more', async () => {
  const fixture = start();
  fixture.duplex.on('error', () => {});
  await bring(fixture, 20_000);
  fixture.duplex.destroy();
  await fixture.turn();
  expect(fixture.got).toEqual([]);
  expect(fixture.socket.destroyed).toBe(true);
});
