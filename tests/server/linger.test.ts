/** Answers that come before their requests are over, to clients that read them when they have sent all. */
import { expect, test } from 'bun:test';
import { type AddressInfo, createServer } from 'node:net';
import { lingerWhenClosed } from '../../src/server/connections/linger.ts';
import { eventually } from '../support/eventually.ts';
import { execute, executeHead, openHttp1 } from './raw-http1.ts';
import { postJson, startServer } from './start-server.ts';

test.each([
  ['OVERLOADED', '429', 1],
  ['DRAINING', '503', 2],
])(
  '%s, the connection closes when the client has sent the rest, and not before',
  async (_, status, maxCalls) => {
    const running = await startServer({ config: { maxCalls } });
    const first = await openHttp1(running.port, true);
    first.socket.write(execute('FAKE_DELAY:60000'));
    await eventually(() => running.embedder.inFlight === 1);
    const closing = status === '503' ? running.server.close() : undefined;
    const { socket, received, closed } = await openHttp1(running.port, true);
    const length = 8 << 20;
    socket.write(`${executeHead(`Content-Length: ${length}\r\n`)}{"datas":["`);
    await eventually(() => received().startsWith(`HTTP/1.1 ${status}`));
    expect(received().toLowerCase()).toContain('connection: close');
    socket.end('a'.repeat(length - '{"datas":["'.length));
    expect(await closed).toBe('closed');
    first.socket.resetAndDestroy();
    await (closing ?? running.server.close());
  },
);

test('DRAINING, and no call is left: the drain waits for the rest', async () => {
  const running = await startServer();
  const first = await openHttp1(running.port);
  first.socket.write(execute('FAKE_DELAY:60000'));
  await eventually(() => running.embedder.inFlight === 1);
  const closing = running.server.close();
  const { socket, received, closed } = await openHttp1(running.port, true);
  socket.write(executeHead('Content-Length: 100000\r\n'));
  await eventually(() => received().startsWith('HTTP/1.1 503'));
  first.socket.resetAndDestroy();
  await running.logged(({ code }) => code === 'canceled');
  await eventually(() => running.server.calls === 1);
  socket.end('a'.repeat(100_000));
  expect(await closed).toBe('closed');
  expect(await closing).toBe(0);
});

test('what comes after a request whose answer closes the connection, is not begun', async () => {
  await using server = await startServer({ config: { maxCalls: 1 } });
  const first = await openHttp1(server.port, true);
  first.socket.write(execute('FAKE_DELAY:60000'));
  await eventually(() => server.embedder.inFlight === 1);
  const { socket, received, closed } = await openHttp1(server.port, true);
  socket.write(execute('a'));
  await eventually(() => received().startsWith('HTTP/1.1 429'));
  first.socket.resetAndDestroy();
  await eventually(() => server.server.calls === 0);
  socket.end(execute('a'));
  expect(await closed).toBe('closed');
  await postJson(server.url, 'Healthy', {});
  await server.logged(({ method }) => method === 'Healthy');
  expect(server.logs.filter(({ method }) => method === 'Execute').length).toBe(2);
});

test.each([
  ['time', { longest: 50, most: 1 << 30 }],
  ['bytes', { longest: 60_000, most: 1000 }],
])('a client that never comes to its end has so much %s', async (_, bounds) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    lingerWhenClosed(socket, () => {}, bounds);
    socket.destroySoon();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { socket, closed } = await openHttp1((server.address() as AddressInfo).port, true);
  const sending = setInterval(() => socket.write('a'.repeat(100)), 5);
  expect(await closed).not.toBe('');
  clearInterval(sending);
  server.close();
});
