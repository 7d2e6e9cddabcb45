/** Bodies that come too slowly, or not to their end. */
import { describe, expect, test } from 'bun:test';
import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { CallRecord } from '../../src/server/call-record.ts';
import { watchBody } from '../../src/server/calls/request-body.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from './start-server.ts';

const never = new AbortController().signal;
const place = { clientsTurn() {}, ourTurn() {} };

/** Reads pieces of so many bytes, one every so many milliseconds. @returns bytes, or the error's code */
async function read(pieces: readonly number[], ms: number, stallTimeout = 300): Promise<unknown> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const bytes of pieces) {
      await Bun.sleep(ms);
      yield new Uint8Array(bytes);
    }
  }
  const record = { bytes: 0 } as CallRecord;
  try {
    for await (const _ of watchBody(body(), { signal: never, record, stallTimeout, place }));
    return record.bytes;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

const times = (count: number, bytes: number): number[] => Array<number>(count).fill(bytes);

test('watchBody, 16 KiB now and then are progress, however long the whole takes', async () => {
  expect(await read(times(10, 8 * 1024), 150, 1000)).toBe(80 * 1024);
});

test('watchBody, a byte now and then is none', async () => {
  expect(await read(times(100, 1), 20)).toBe('DEADLINE');
  expect(await read([64 * 1024, ...times(100, 100)], 20)).toBe('DEADLINE');
});

test('watchBody, a small body has as long for all of it', async () => {
  expect(await read(times(5, 10), 20, 1000)).toBe(50);
});

test('watchBody, tells whose turn it is', async () => {
  const turns: string[] = [];
  const noting = {
    clientsTurn: () => void turns.push('client'),
    ourTurn: () => void turns.push('ours'),
  };
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 4; i++) yield new Uint8Array(8 * 1024);
  }
  const options = { signal: never, record: { bytes: 0 } as CallRecord, stallTimeout: 300 };
  for await (const _ of watchBody(body(), { ...options, place: noting }));
  expect(turns).toEqual(['client', 'client', 'ours']);
});

describe('a packed request that does not come to its end', () => {
  const half = gzipSync(JSON.stringify({ datas: ['a'.repeat(1000)] })).subarray(0, 20);
  const begin = (url: string, id: string) => {
    const session = connect(url);
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/omnisearch.Operator/Execute',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-request-id': id,
    });
    stream.on('error', () => {});
    stream.write(half);
    return session;
  };

  test('pauses: DEADLINE', async () => {
    await using slow = await startServer({ config: { stallTimeout: 200 } });
    const session = begin(slow.url, 'pauses');
    const line = await slow.logged((l) => l.requestId === 'pauses');
    expect(line).toMatchObject({ code: 'deadline_exceeded', error: 'DEADLINE' });
    session.destroy();
  });

  test('is given up: canceled, and no failure of ours', async () => {
    await using running = await startServer();
    const session = begin(running.url, 'given-up');
    await eventually(() => running.server.calls === 1);
    await Bun.sleep(50);
    session.destroy();
    const line = await running.logged((l) => l.requestId === 'given-up');
    expect(line.code).toBe('canceled');
    expect(line.reason).toBeUndefined();
  });
});
