import { afterAll, describe, expect, test } from 'bun:test';
import { Worker } from 'node:worker_threads';
import { ConfigError, OperatorError } from '../../src/errors.ts';
import { createFetchThread } from '../../src/image/source/fetch-thread.ts';
import { createUrlFetcher } from '../../src/image/source/url-fetcher.ts';
import { eventually } from '../support/eventually.ts';
import { fetcherOptions, fetchWith, openFetcher, response, serve } from './loopback-server.ts';

/**
 * What `outcome` fails with. Not `expect(…).rejects`: that blocks in bun test until it knows, and where it is called from
 * within a message of a thread, the thread's next message does not come through.
 */
const rejection = (outcome: Promise<unknown>) =>
  outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

const never = () => new AbortController().signal;
/** A thread that is not ours, with this for its code. */
const pretend = (code: string) => () => new Worker(code, { eval: true });

describe('createUrlFetcher, on its own thread', () => {
  const fetcher = createUrlFetcher({ ...fetcherOptions, maxFetchedBytes: 1_000_000 });
  afterAll(() => fetcher.close());

  test('fetch, the file comes whole and may be transferred', async () => {
    const body = crypto.getRandomValues(new Uint8Array(50_000));
    using server = await serve((socket) => socket.end(response(body)));
    const file = await fetchWith(fetcher)(server.origin, never());
    expect(Buffer.compare(file, body)).toBe(0);
    expect(structuredClone(file, { transfer: [file.buffer] })).toHaveLength(50_000);
  });

  test('fetch, an error keeps its code, its message and its cause', async () => {
    const error = await rejection(fetchWith(fetcher)('http://localhost/', never()));
    expect(error).toBeInstanceOf(OperatorError);
    expect(error).toMatchObject({
      code: 'URL_UNREACHABLE',
      message: 'no connection to localhost',
      cause: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await rejection(fetchWith(fetcher)('http://0x7f.2/', never()))).toMatchObject({
      code: 'URL_FORBIDDEN',
      cause: expect.stringContaining('127.0.0.2: a loopback address'),
    });
  });

  test('fetch, a client that gives up ends the connection', async () => {
    using server = await serve(() => {});
    const client = new AbortController();
    const given = rejection(fetchWith(fetcher)(server.origin, client.signal));
    await eventually(() => server.connections.size === 1);
    client.abort();
    expect(await given).toMatchObject({ code: 'CANCELLED' });
    await eventually(() => server.connections.size === 0);
  });

  test('fetch, a time that is over ends the connection', async () => {
    using server = await serve(() => {});
    const impatient = createUrlFetcher({ ...fetcherOptions, timeoutMs: 1_500 });
    const late = rejection(fetchWith(impatient)(server.origin, never()));
    await eventually(() => server.connections.size === 1);
    expect(await late).toMatchObject({
      code: 'URL_TIMEOUT',
      message: '127.0.0.1 took longer than 1500 ms (--url-timeout)',
    });
    await eventually(() => server.connections.size === 0);
    await impatient.close();
  });

  test('withFile, the memory of a file is free again once it is used, and only then', async () => {
    using server = await serve((socket) => socket.end(response(new Uint8Array(600_000))));
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const using = fetcher.withFile(server.origin, never(), () => {
      begun.resolve();
      return first.promise;
    });
    await begun.promise;
    expect(await rejection(fetchWith(fetcher)(server.origin, never()))).toMatchObject({
      code: 'OVERLOADED',
      message:
        'files fetched by URL take 1000000 bytes together (--max-fetched-bytes); try again later',
    });
    first.resolve();
    await using;
    expect(await fetchWith(fetcher)(server.origin, never())).toHaveLength(600_000);
    expect(await fetchWith(fetcher)(server.origin, never())).toHaveLength(600_000);
  });
});

test('createUrlFetcher, an entry of the allow list that cannot be read ends the start', () => {
  expect(() => createUrlFetcher({ ...fetcherOptions, allow: ['10.0.0.0/99'] })).toThrow(
    ConfigError,
  );
});

describe('createFetchThread', () => {
  test('fetchFile, a thread that crashes fails what it had in hand, and the next gets another', async () => {
    let started = 0;
    const thread = createFetchThread(fetcherOptions, {
      spawn: () => {
        started += 1;
        return pretend(
          `require('node:worker_threads').parentPort.on('message', () => { throw new Error('broken') })`,
        )();
      },
    });
    for (const expected of [1, 2]) {
      expect(await rejection(thread.fetchFile('http://x.test/', never()))).toMatchObject({
        code: 'INTERNAL',
        message: 'internal error',
      });
      expect(started).toBe(expected);
    }
    await thread.close();
  });

  test('fetchFile, a thread that is busy for ever holds up nobody and is ended', async () => {
    const thread = createFetchThread(fetcherOptions, {
      spawn: pretend(
        `require('node:worker_threads').parentPort.on('message', () => { for (;;); })`,
      ),
      abortTimeMs: 200,
    });
    const innocent = rejection(thread.fetchFile('http://x.test/', never()));
    const client = new AbortController();
    const given = thread.fetchFile('http://x.test/', client.signal);
    client.abort();
    expect(await rejection(given)).toMatchObject({ code: 'CANCELLED' });
    expect(await innocent).toMatchObject({ code: 'INTERNAL' });
    await thread.close();
  });

  test('fetchFile, a file that comes after it was given up is given back', async () => {
    const releases = Promise.withResolvers<string>();
    const thread = createFetchThread(fetcherOptions, {
      spawn: () => {
        const worker = pretend(
          `const { parentPort } = require('node:worker_threads');
          parentPort.on('message', ({ type, id }) => {
            if (type === 'abort') parentPort.postMessage({ type: 'file', id, bytes: new Uint8Array(5) });
            if (type === 'released') parentPort.postMessage({ type: 'seen', id });
          })`,
        )();
        worker.on('message', ({ type }) => type === 'seen' && releases.resolve('released'));
        return worker;
      },
    });
    const client = new AbortController();
    const given = rejection(thread.fetchFile('http://x.test/', client.signal));
    client.abort();
    expect(await given).toMatchObject({ code: 'CANCELLED' });
    expect(await Promise.race([releases.promise, Bun.sleep(3000)])).toBe('released');
    await thread.close();
  });

  test('close, what is being fetched fails as the operator shuts down', async () => {
    using server = await serve(() => {});
    const thread = createFetchThread(fetcherOptions);
    const pending = rejection(thread.fetchFile(server.origin, never()));
    await eventually(() => server.connections.size === 1);
    await thread.close();
    expect(await pending).toMatchObject({ code: 'DRAINING' });
  });

  test('fetchFile, starts no thread for a signal that has fired, and none before the first URL', async () => {
    const thread = createFetchThread(fetcherOptions, {
      spawn: () => {
        throw new Error('started');
      },
    });
    expect(await rejection(thread.fetchFile('http://x.test/', AbortSignal.abort()))).toMatchObject({
      code: 'CANCELLED',
    });
    await thread.close();
  });
});

test('withFile, the slot is held until the file is used', async () => {
  using server = await serve((socket) => socket.end(response('x')));
  const one = openFetcher({ concurrency: 1 });
  const used = Promise.withResolvers<string>();
  const first = one.withFile(server.origin, never(), () => used.promise);
  const second = fetchWith(one)(server.origin, never());
  await Bun.sleep(50);
  expect(server.accepted).toBe(1);
  used.resolve('done');
  expect(await first).toBe('done');
  expect(await second).toHaveLength(1);
});

test('withFile, what the caller throws comes through and gives everything back', async () => {
  using server = await serve((socket) => socket.end(response(new Uint8Array(800_000))));
  const { withFile } = openFetcher({ concurrency: 1, maxFetchedBytes: 0 });
  for (let round = 0; round < 3; round += 1) {
    const use = () => Promise.reject(new Error('no image'));
    expect(await rejection(withFile(server.origin, never(), use))).toMatchObject({
      message: 'no image',
    });
  }
});
