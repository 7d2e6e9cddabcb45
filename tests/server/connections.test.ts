/** What the port does with connections: two protocols, limits, and all that clients do to them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect as connectHttp2 } from 'node:http2';
import { eventually } from '../support/eventually.ts';
import { execute, openHttp1 } from './raw-http1.ts';
import { grpcClient, postJson, startServer, type TestServer } from './start-server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startServer({
    config: { headerTimeout: 300, idleTimeout: 600, maxHeaderBytes: 2048, requestTimeout: 400 },
  });
});
afterAll(() => running[Symbol.asyncDispose]());

const get = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';

test('first bytes, one at a time are HTTP/1.1 as well', async () => {
  await using patient = await startServer();
  const { socket, received } = await openHttp1(patient.port);
  socket.setNoDelay(true);
  for (const byte of 'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n') {
    socket.write(byte);
    await Bun.sleep(1);
  }
  await eventually(() => received().startsWith('HTTP/1.1 405'));
  socket.destroy();
});

test('first bytes, an HTTP/2 preface in pieces is HTTP/2', async () => {
  const { socket, received } = await openHttp1(running.port);
  socket.setNoDelay(true);
  for (const piece of ['P', 'R', 'I', ' * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\0\0\0\x04\0\0\0\0\0']) {
    socket.write(piece, 'latin1');
    await Bun.sleep(5);
  }
  // A SETTINGS frame of the server's and one that acknowledges ours.
  await eventually(() => received().includes('\0\0\0\x04\x01\0\0\0\0'));
  socket.destroy();
});

test.each([
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['noise', '\xff\xfe\x00 something else\r\n\r\n'],
  ['a broken preface', 'PRI * HTTP/3.0\r\n\r\nXX\r\n\r\n'],
  ['noise after the preface', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(64)}`],
])('first bytes, %s: the connection ends and the next one works', async (_, bytes) => {
  const { socket, closed } = await openHttp1(running.port);
  socket.write(bytes, 'latin1');
  await closed;
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
});

test('a client that asks on and reads no answer is closed before its answers take much memory', async () => {
  await using patient = await startServer();
  const { socket, closed } = await openHttp1(patient.port);
  socket.pause();
  const asks = 'OPTIONS / HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Method: POST\r\n\r\n';
  socket.write(asks.repeat(20_000));
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, patient.server.calls);
  });
  await patient.logged((line) => line.msg === 'a connection with 1024 open requests is closed');
  clearInterval(timer);
  expect(most).toBeLessThanOrEqual(1024);
  socket.resume();
  await closed;
  await eventually(() => patient.server.calls === 0);
});

test('a request whose target has scheme and host, as a proxy writes it', async () => {
  const { socket, received } = await openHttp1(running.port);
  socket.write('GET http://other:80/healthz?a HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => received().startsWith('HTTP/1.1 200'));
  socket.write(
    'POST http://other/omnisearch.Operator/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  );
  await eventually(() => received().includes('{"healthy":"healthy"}'));
  socket.destroy();
});

test('a thousand requests in one packet, do not keep another connection waiting for all of them', async () => {
  const { socket, received } = await openHttp1(running.port);
  const answered = (): number => received().split('HTTP/1.1 200').length - 1;
  await postJson(running.url, 'Healthy', {});
  const one =
    'POST /omnisearch.Operator/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
  socket.write(one.repeat(1000));
  await eventually(() => answered() > 0);
  expect((await postJson(running.url, 'Healthy', {})).status).toBe(200);
  expect(answered()).toBeLessThan(700);
  await eventually(() => answered() === 1000);
  socket.destroy();
});

test('clients that vanish in the middle of a request leave nothing behind', async () => {
  const head =
    'POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
  for (const text of ['GET / HT', `${head}Content-Length: 1000\r\n\r\n{"datas":["`, head]) {
    const graceful = await openHttp1(running.port);
    graceful.socket.end(text);
    const abrupt = await openHttp1(running.port);
    abrupt.socket.write(text, () => abrupt.socket.resetAndDestroy());
    await graceful.closed;
  }
  await eventually(() => running.server.calls === 0);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
});

test('a request line that is no URL and a missing Host are answered', async () => {
  for (const [path, host] of [
    ['http://[', 'Host: a\r\n'],
    ['*', 'Host: a\r\n'],
    ['//', 'Host: ]\r\n'],
    ['/omnisearch.Operator/Healthy', ''],
  ]) {
    const { socket, received } = await openHttp1(running.port);
    socket.write(
      `POST ${path} HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await eventually(() => /^HTTP\/1.1 4\d\d /.test(received()));
    socket.destroy();
  }
});

test('--header-timeout, a connection that sends nothing or too slowly is closed', async () => {
  for (const text of ['', 'P', 'GET / HTTP/1.1\r\nHos']) {
    const begun = performance.now();
    const { socket, closed } = await openHttp1(running.port);
    socket.write(text);
    await closed;
    expect(performance.now() - begun).toBeWithin(250, 1500);
  }
});

test('--idle-timeout, a connection without calls is closed, over HTTP/2 as well', async () => {
  const idle = await openHttp1(running.port);
  idle.socket.write(get);
  const begun = performance.now();
  await idle.closed;
  expect(idle.received()).toStartWith('HTTP/1.1 200');
  expect(performance.now() - begun).toBeWithin(550, 2000);

  const session = connectHttp2(running.url);
  const closed = new Promise((resolve) => session.once('close', resolve));
  await new Promise((resolve) => session.once('connect', resolve));
  await closed;
});

test('--idle-timeout, a connection with a call is left alone, and closed that long after its end', async () => {
  await using patient = await startServer({ config: { idleTimeout: 500 } });
  const { socket, received, closed } = await openHttp1(patient.port);
  socket.write(execute('FAKE_DELAY:1200'));
  await Promise.race([closed, eventually(() => received() !== '')]);
  expect(received()).toStartWith('HTTP/1.1 200');
  const answered = performance.now();
  await closed;
  expect(performance.now() - answered).toBeWithin(400, 3000);
});

test('--max-header-bytes, a header over it is refused', async () => {
  const large = { 'x-large': 'a'.repeat(4000) };
  expect((await fetch(`${running.url}/healthz`, { headers: large })).status).toBe(431);
  const small = { 'x-small': 'a'.repeat(1000) };
  expect((await fetch(`${running.url}/healthz`, { headers: small })).status).toBe(200);
  await expect(grpcClient(running.url).healthy({}, { headers: large })).rejects.toThrow();
  expect((await grpcClient(running.url).healthy({}, { headers: small })).healthy).toBe('healthy');
});

test('--request-timeout, longer work is given up', async () => {
  const begun = performance.now();
  const reply = await postJson(running.url, 'Execute', { datas: ['FAKE_DELAY:60000'] });
  expect(reply.status).toBe(504);
  expect(await reply.json()).toMatchObject({
    code: 'deadline_exceeded',
    message: 'the call took longer than 0.4 s (--request-timeout)',
  });
  expect(performance.now() - begun).toBeWithin(390, 3800);
  await eventually(() => running.embedder.inFlight === 0);
});

test('--request-timeout, a body that does not come is given up', async () => {
  const { socket, received } = await openHttp1(running.port);
  socket.write(
    'POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  );
  await eventually(() => received().startsWith('HTTP/1.1 504'));
  socket.destroy();
  await eventually(() => running.server.calls === 0);
});

test('--max-connections, further ones are closed until there is room', async () => {
  await using small = await startServer({ config: { maxConnections: 2 } });
  const first = await openHttp1(small.port);
  const second = await openHttp1(small.port);
  const third = await openHttp1(small.port);
  await third.closed;
  expect(await small.logged((line) => String(line.msg).includes('--max-connections'))).toBeTruthy();
  first.socket.end(get);
  await first.closed;
  expect((await fetch(`${small.url}/healthz`)).status).toBe(200);
  second.socket.destroy();
});

test('--max-connections, who has been without a call for longest gives way to a new one', async () => {
  await using small = await startServer({ config: { maxConnections: 3 } });
  const calls = await openHttp1(small.port);
  calls.socket.write(execute('FAKE_DELAY:2500'));
  await eventually(() => small.embedder.inFlight === 1);
  const idle = await openHttp1(small.port);
  idle.socket.write(get);
  await eventually(() => idle.received().startsWith('HTTP/1.1 200'));
  const silent = await openHttp1(small.port);
  // Not before it has been so for a second.
  await (await openHttp1(small.port)).closed;
  await Bun.sleep(1100);
  expect((await fetch(`${small.url}/healthz`)).status).toBe(200);
  await idle.closed;
  expect(
    await small.logged((line) =>
      String(line.msg).includes('without a call is closed (--max-connections)'),
    ),
  ).toBeTruthy();
  await eventually(() => calls.received().includes('"nums":"1"'));
  for (const { socket } of [calls, silent]) socket.destroy();
});

test('--max-bytes-in-flight, requests that would hold more together are refused', async () => {
  await using small = await startServer({ config: { maxBytesInFlight: 100_000 } });
  const alone = await postJson(small.url, 'Execute', { datas: ['a'.repeat(200_000)] });
  expect(alone.status).toBe(429);
  expect(await alone.json()).toMatchObject({
    message: expect.stringContaining('more bytes than all requests together may'),
  });
  const first = postJson(small.url, 'Execute', { datas: ['FAKE_DELAY:300', 'a'.repeat(60_000)] });
  await eventually(() => small.embedder.inFlight === 1);
  const second = await postJson(small.url, 'Execute', { datas: ['a'.repeat(60_000)] });
  expect(second.status).toBe(429);
  expect(await second.json()).toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringContaining('(--max-bytes-in-flight)'),
  });
  expect((await first).status).toBe(200);
  await eventually(() => small.server.calls === 0);
  expect((await postJson(small.url, 'Execute', { datas: ['a'.repeat(60_000)] })).status).toBe(200);
});

test('--max-concurrent-streams, is what the client is told', async () => {
  await using small = await startServer({ config: { maxConcurrentStreams: 7 } });
  const session = connectHttp2(small.url);
  const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve) =>
    session.once('remoteSettings', resolve),
  );
  session.destroy();
  expect(settings.maxConcurrentStreams).toBe(7);
});
