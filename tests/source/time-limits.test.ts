import { describe, expect, test } from 'bun:test';
import { type AddressInfo, createServer } from 'node:net';
import { OperatorError } from '../../src/errors.ts';
import { withTimeLimit } from '../../src/image/source/time-limit.ts';
import { createUrlFetcher } from '../../src/image/source/url-fetcher.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, fetcher, fetcherOptions, response, serve } from './loopback-server.ts';

const slow = { connectTimeoutMs: 200, firstByteTimeoutMs: 300, timeoutMs: 500 };

/** Sends `text` a byte at a time, for ever. */
const drip =
  (start: string, text: string): Answer =>
  (socket) => {
    socket.write(start);
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ''), 10);
    socket.once('close', () => clearInterval(timer));
  };

async function failure(outcome: Promise<unknown>) {
  const start = performance.now();
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, ms: performance.now() - start };
}

describe('fetch, a server that is slow is given up in time and hung up on', () => {
  const late = (said: string) => ({ code: 'URL_TIMEOUT', message: said });
  test.each<[string, Answer, number, object]>([
    [
      'that never answers',
      () => {},
      300,
      late('127.0.0.1 did not answer within 300 ms (--url-first-byte-timeout)'),
    ],
    [
      'that drips its header',
      drip('HTTP/1.1 200 OK\r\n', 'X-Drip: yes\r\n'),
      300,
      late('127.0.0.1 did not answer within 300 ms (--url-first-byte-timeout)'),
    ],
    [
      'that sends status 103 for ever',
      drip('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
      300,
      late('127.0.0.1 did not answer within 300 ms (--url-first-byte-timeout)'),
    ],
    [
      'that drips its body',
      drip('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', 'x'),
      500,
      late('127.0.0.1 took longer than 500 ms (--url-timeout)'),
    ],
    [
      'that sends a header and stops',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'),
      500,
      late('127.0.0.1 took longer than 500 ms (--url-timeout)'),
    ],
    [
      'that drips trailers',
      drip(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n',
        'X-Trailer: yes\r\n',
      ),
      500,
      late('127.0.0.1 took longer than 500 ms (--url-timeout)'),
    ],
  ])('%s', async (_, answer, ms, expected) => {
    using server = await serve(answer);
    const outcome = await failure(fetcher(slow)(server.origin));
    expect(outcome.error).toMatchObject(expected);
    expect(outcome.ms).toBeGreaterThan(ms - 20);
    expect(outcome.ms).toBeLessThan(ms + 2_000);
    await eventually(() => server.connections.size === 0);
  });
});

test('fetch, redirects share the total time', async () => {
  using server = await serve((socket) => {
    setTimeout(() => socket.end('HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n'), 200);
  });
  const { error, ms } = await failure(fetcher(slow)(server.origin));
  expect(error).toMatchObject({ code: 'URL_TIMEOUT' });
  expect(ms).toBeLessThan(2_000);
});

test('fetch, a resolver that never answers is given up', async () => {
  const resolve = () => new Promise<string[]>(() => {});
  const { error, ms } = await failure(fetcher({ ...slow, resolve })('http://dead.test/'));
  expect(error).toMatchObject({
    code: 'URL_TIMEOUT',
    message: 'the name dead.test did not resolve within 200 ms (--url-connect-timeout)',
  });
  expect(ms).toBeLessThan(2_000);
});

test('fetch, a TLS handshake that never ends is given up', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as AddressInfo;
  const { error } = await failure(fetcher(slow)(`https://127.0.0.1:${port}/`));
  silent.close();
  expect(error).toMatchObject({
    code: 'URL_TIMEOUT',
    message: 'no connection to 127.0.0.1 within 200 ms (--url-connect-timeout)',
  });
});

test('fetch, an address whose TLS never answers leaves the next one its share of the time', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.2', done));
  const { port } = silent.address() as AddressInfo;
  const resolve = async () => ['127.0.0.2', '127.0.0.1'];
  const patience = { connectTimeoutMs: 1000, timeoutMs: 5000 };
  const fetch = fetcher({ ...patience, allow: ['127.0.0.0/8'], resolve });
  // The second address refuses (or speaks no TLS, if another process happens to have that port there): told only if tried.
  const { error, ms } = await failure(fetch(`https://two.test:${port}/`));
  silent.close();
  expect(error).toMatchObject({
    code: 'URL_UNREACHABLE',
    message: expect.stringMatching(/^no (trusted TLS )?connection to two\.test$/),
  });
  // Half of it, or the second would be tried when there is nothing left.
  expect(ms).toBeGreaterThan(450);
  expect(ms).toBeLessThan(950);
});

test('fetch, a refused connection is unreachable at once', async () => {
  using gone = await serve(() => {});
  const { origin } = gone;
  gone[Symbol.dispose]();
  const { error, ms } = await failure(fetcher()(origin));
  expect(error).toMatchObject({
    code: 'URL_UNREACHABLE',
    message: 'no connection to 127.0.0.1',
  });
  expect(ms).toBeLessThan(2_000);
});

describe('fetch, a client that gives up ends everything', () => {
  test.each<[string, unknown, string]>([
    ['cancelled', undefined, 'CANCELLED'],
    ['its deadline passed', new DOMException('late', 'TimeoutError'), 'DEADLINE'],
    ['an error of ours', new OperatorError('DRAINING', 'bye'), 'DRAINING'],
  ])('%s', async (_, reason, code) => {
    for (const answer of [() => {}, drip('HTTP/1.1 200 OK\r\n\r\n', 'x')]) {
      using server = await serve(answer);
      const controller = new AbortController();
      const outcome = failure(fetcher()(server.origin, controller.signal));
      await Bun.sleep(50);
      controller.abort(reason);
      const { error, ms } = await outcome;
      expect(error).toMatchObject({ code });
      expect(ms).toBeLessThan(2_000);
      await eventually(() => server.connections.size === 0);
    }
  });

  test('before it starts, nothing is connected to', async () => {
    using server = await serve((socket) => socket.end(response('x')));
    await expect(fetcher()(server.origin, AbortSignal.abort())).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(server.accepted).toBe(0);
  });
});

test('withTimeLimit, nothing is begun when the signal has fired before', async () => {
  const late = () => new OperatorError('URL_TIMEOUT', 'late');
  let begun = 0;
  const work = async () => begun++;
  const limited = withTimeLimit(AbortSignal.abort(), 1000, late, work);
  await expect(limited).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(begun).toBe(0);
});

test('withTimeLimit, work that fails after it was given up troubles nobody', async () => {
  const late = () => new OperatorError('URL_TIMEOUT', 'late');
  const work = () => Bun.sleep(30).then(() => Promise.reject(new Error('too late')));
  await expect(withTimeLimit(new AbortController().signal, 10, late, work)).rejects.toThrow('late');
  await Bun.sleep(50);
});

test('fetch, a file that comes in the moment in which it is given up is released', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const file = Promise.withResolvers<{ bytes: Uint8Array<ArrayBuffer>; release: () => void }>();
    let released = 0;
    // As a thread's answer does, it goes through a function more.
    const fetchFile = async () => file.promise;
    const thread = { fetchFile, close: async () => {} };
    const client = new AbortController();
    const outcome = createUrlFetcher(fetcherOptions, thread)
      .withFile('http://127.0.0.1/', client.signal, async () => 'used')
      .catch(({ code }) => code);
    await Bun.sleep(0);
    file.resolve({ bytes: new Uint8Array(1), release: () => released++ });
    for (let turn = 0; turn < turns; turn++) await null;
    client.abort();
    expect(['used', 'CANCELLED']).toContain(await outcome);
    await Bun.sleep(0);
    expect(released).toBe(1);
  }
});
