/** What is no request, on a connection whose client is owed answers to those before it. */
import { expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { execute, executeHead, openHttp1 } from './raw-http1.ts';
import { startServer } from './start-server.ts';

const slow = 'FAKE_DELAY:100';
const chunked = executeHead('Transfer-Encoding: chunked\r\n');

/** The status of each answer until the server closes the connection; the rest is sent once the first call is being answered. */
async function statusesOf(first: string, rest: string): Promise<string[]> {
  await using server = await startServer();
  const { socket, received, closed } = await openHttp1(server.port);
  socket.write(first);
  await eventually(() => server.embedder.inFlight === 1);
  socket.write(rest);
  await closed;
  expect(received()).toContain('"nums":"1"');
  return Array.from(received().matchAll(/HTTP\/1.1 (\d+)/g), ([, status = '']) => status);
}

test.each([
  ['noise', 'something else\r\n\r\n', '400'],
  ['noise, and another request', `something else\r\n\r\n${execute(slow)}`, '400'],
  ['too large a header', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
  ['a body that breaks off', `${chunked}2\r\n{"\r\nnothing\r\n`, '400'],
])('%s behind a request, told after its answer', async (_, rest, status) => {
  expect(await statusesOf(execute(slow), rest)).toEqual(['200', status]);
});

test.each([
  ['a line break', '\r\n'],
  ['noise', 'something else\r\n\r\n'],
  ['another request', execute(slow)],
])('%s behind a request that closes the connection, passed over', async (_, rest) => {
  expect(await statusesOf(execute(slow, 'Connection: close\r\n'), rest)).toEqual(['200']);
});
