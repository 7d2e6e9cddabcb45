/** What is no request, on a connection whose client is owed answers to those before it. */
import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { eventually } from '../support/eventually.ts';
import { startServer } from './start-server.ts';

const headers = 'Host: a\r\nContent-Type: application/json\r\n';
const execute = (more = ''): string => {
  const body = '{"datas":["FAKE_DELAY:100"]}';
  return `POST /omnisearch.Operator/Execute HTTP/1.1\r\n${headers}${more}Content-Length: ${body.length}\r\n\r\n${body}`;
};
const chunked = `POST /omnisearch.Operator/Execute HTTP/1.1\r\n${headers}Transfer-Encoding: chunked\r\n\r\n`;

/** The status of each answer until the server closes the connection; the rest is sent once the first call is being answered. */
async function statusesOf(first: string, rest: string): Promise<string[]> {
  await using server = await startServer();
  const socket = connect(server.port, '127.0.0.1');
  let received = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(first);
  await eventually(() => server.embedder.inFlight === 1);
  socket.write(rest);
  await closed;
  expect(received).toContain('"nums":"1"');
  return Array.from(received.matchAll(/HTTP\/1.1 (\d+)/g), ([, status = '']) => status);
}

test.each([
  ['noise', 'something else\r\n\r\n', '400'],
  ['noise, and another request', `something else\r\n\r\n${execute()}`, '400'],
  ['too large a header', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
  ['a body that breaks off', `${chunked}2\r\n{"\r\nnothing\r\n`, '400'],
])('%s behind a request, told after its answer', async (_, rest, status) => {
  expect(await statusesOf(execute(), rest)).toEqual(['200', status]);
});

test.each([
  ['a line break', '\r\n'],
  ['noise', 'something else\r\n\r\n'],
  ['another request', execute()],
])('%s behind a request that closes the connection, passed over', async (_, rest) => {
  expect(await statusesOf(execute('Connection: close\r\n'), rest)).toEqual(['200']);
});
