/** Several requests on a connection over HTTP/1.1, of which none waits for the answer to the one before. */
import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { startServer } from './start-server.ts';

const execute = (ms: number): string => {
  const body = JSON.stringify({ datas: [`FAKE_DELAY:${ms}`] });
  return `POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Sends them at once. @returns the status of each answer, once the server has closed the connection */
async function ask(port: number, ...requests: string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(requests.join(''));
  await new Promise((resolve) => socket.once('close', resolve));
  const received = Buffer.concat(chunks).toString('latin1');
  return Array.from(received.matchAll(/HTTP\/1.1 (\d+)/g), ([, status = '']) => status);
}

test('a refusal is kept until the answers before it have been given', async () => {
  await using server = await startServer({ config: { maxCalls: 1 } });
  expect(await ask(server.port, execute(1300), execute(0))).toEqual(['200', '429']);
});
