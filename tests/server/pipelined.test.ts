/** Several requests on a connection over HTTP/1.1, of which none waits for the answer to the one before. */
import { expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { execute, openHttp1 } from './raw-http1.ts';
import { startServer } from './start-server.ts';

/** Sends them at once. @returns status and `Connection` of each answer, once the server has closed the connection */
async function ask(port: number, ...requests: string[]): Promise<string[]> {
  const { socket, received, closed } = await openHttp1(port);
  socket.write(requests.join(''));
  await closed;
  return Array.from(
    received().matchAll(/HTTP\/1.1 (\d+).*?\r\nconnection: ([^\r]*)/gis),
    ([, status, connection]) => `${status} ${connection}`,
  );
}

test('a refusal is kept until the answers before it have been given', async () => {
  await using server = await startServer({ config: { maxCalls: 1 } });
  expect(await ask(server.port, execute('FAKE_DELAY:1300'), execute('FAKE_DELAY:0'))).toEqual([
    '200 keep-alive',
    '429 close',
  ]);
});

test.each([
  ['one request', [execute('FAKE_DELAY:100')], ['200 close']],
  [
    'several',
    [execute('FAKE_DELAY:150'), execute('FAKE_DELAY:100')],
    ['200 keep-alive', '200 close'],
  ],
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
