/** Several requests on a connection over HTTP/1.1, of which none waits for the answer to the one before. */
import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { eventually } from '../support/eventually.ts';
import { startServer } from './start-server.ts';

const execute = (ms: number): string => {
  const body = JSON.stringify({ datas: [`FAKE_DELAY:${ms}`] });
  return `POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Sends them at once. @returns status and `Connection` of each answer, once the server has closed the connection */
async function ask(port: number, ...requests: string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(requests.join(''));
  await new Promise((resolve) => socket.once('close', resolve));
  const received = Buffer.concat(chunks).toString('latin1');
  return Array.from(
    received.matchAll(/HTTP\/1.1 (\d+).*?\r\nconnection: ([^\r]*)/gis),
    ([, status, connection]) => `${status} ${connection}`,
  );
}

test('a refusal is kept until the answers before it have been given', async () => {
  await using server = await startServer({ config: { maxCalls: 1 } });
  expect(await ask(server.port, execute(1300), execute(0))).toEqual([
    '200 keep-alive',
    '429 close',
  ]);
});

test.each([
  ['one request', [execute(100)], ['200 close']],
  ['several', [execute(150), execute(100)], ['200 keep-alive', '200 close']],
])(
  '%s when a drain begins: the last answer says that the connection closes',
  async (_, requests, answers) => {
    const server = await startServer();
    const asked = ask(server.port, ...requests);
    await eventually(() => server.embedder.inFlight === requests.length);
    await server.server.close();
    expect(await asked).toEqual(answers);
  },
);
