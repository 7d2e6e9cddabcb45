/** Clients that are gone, and those that have only said all: over HTTP/1.1 they look alike. */
import { describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { execute, openHttp1, watch } from './raw-http1.ts';
import { startServer, type TestServer } from './start-server.ts';

const patient = { config: { requestTimeout: 60_000 } };

test('a client that has said all gets its answer', async () => {
  await using server = await startServer();
  const { socket, received, closed } = await openHttp1(server.port);
  socket.end(execute('FAKE_DELAY:100'));
  await closed;
  expect(received()).toStartWith('HTTP/1.1 200 OK');
  expect(received()).toContain('"nums":"1"');
});

describe('a client that is gone is noticed long before the end', () => {
  const gone = async (server: TestServer): Promise<void> => {
    const begun = performance.now();
    await eventually(() => server.server.calls === 0);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(server.embedder.inFlight).toBe(0);
    await server.logged((line) => line.msg === 'call' && line.code === 'canceled');
  };

  // The system closes a killed client's connection as if it had only said all.
  test.each([
    ['HTTP/2', '--http2-prior-knowledge'],
    ['HTTP/1.1', '--http1.1'],
  ])('%s, while its call is computed', async (_, protocol) => {
    await using server = await startServer(patient);
    const slow = JSON.stringify({ datas: ['FAKE_DELAY:60000'] });
    const url = `${server.url}/omnisearch.Operator/Execute`;
    const client = Bun.spawn(
      ['curl', '-s', protocol, '-H', 'content-type: application/json', '-d', slow, url],
      { stdout: 'ignore' },
    );
    await eventually(() => server.embedder.inFlight === 1);
    client.kill('SIGKILL');
    await gone(server);
  });

  test('HTTP/1.1, while several calls are computed', async () => {
    await using server = await startServer(patient);
    const { socket } = await openHttp1(server.port);
    socket.write(execute('FAKE_DELAY:60000').repeat(2));
    await eventually(() => server.embedder.inFlight === 2);
    socket.destroy();
    await gone(server);
  });

  test('HTTP/1.1, in the midst of a stream', async () => {
    await using server = await startServer();
    const { socket, received } = await openHttp1(server.port);
    socket.write(watch('application/grpc-web+proto', '\0\0\0\0\0'));
    await eventually(() => received().includes('\x08\x01'));
    expect(server.server.calls).toBe(1);
    socket.destroy();
    await gone(server);
  });

  test('HTTP/1.1, but one that has only said all and waits gets its answer', async () => {
    await using server = await startServer(patient);
    const { socket, received, closed } = await openHttp1(server.port);
    socket.end(execute('FAKE_DELAY:1300'));
    await closed;
    expect(received()).toMatch(/^(HTTP\/1.1 102 Processing\r\n\r\n){1,3}HTTP\/1.1 200 OK/);
    expect(received()).toContain('"nums":"1"');
  });
});

describe('102 Processing goes to nobody who could take it for something else', () => {
  test('HTTP/1.0, which has none', async () => {
    await using server = await startServer(patient);
    const { socket, received, closed } = await openHttp1(server.port);
    socket.end(execute('FAKE_DELAY:800').replace('HTTP/1.1', 'HTTP/1.0'));
    await closed;
    expect(received()).toStartWith('HTTP/1.1 200 OK');
  });

  test('HTTP/1.1, while the answer to an earlier request is being sent', async () => {
    await using server = await startServer(patient);
    const { socket, received, closed } = await openHttp1(server.port);
    socket.end(watch('application/connect+json', '\0\0\0\0\x02{}') + execute('FAKE_DELAY:60000'));
    await closed;
    expect(received()).toContain('SERVING');
    expect(received()).not.toContain('102 Processing');
  });
});
