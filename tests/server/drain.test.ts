import { expect, test } from 'bun:test';
import { connect as connectSocket } from 'node:net';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Operator } from '../../src/gen/omnisearch/operator_pb.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient, postJson, startServer } from './start-server.ts';

const seconds = 1000;

/** What a new HTTP/2 connection is told before it is closed. */
async function greeted(port: number): Promise<string> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), Bun.sleep(5000)]);
  return socket.destroyed ? said : 'it is still open';
}

test('close, running calls are answered and new ones refused', async () => {
  const running = await startServer();
  const first = grpcClient(running.url).execute({ datas: ['FAKE_DELAY:300'] });
  const second = postJson(running.url, 'Execute', { datas: ['FAKE_DELAY:300'] });
  await eventually(() => running.embedder.inFlight === 2);
  const closing = running.server.close();

  const ready = await fetch(`${running.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(ready.headers.get('connection')).toBe('close');
  expect(await ready.json()).toMatchObject({ state: 'draining' });
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  const refused = await postJson(running.url, 'Execute', { datas: ['a'] });
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'unavailable' });
  // Before anything of it is read, so that a client knows that it may ask another operator.
  expect(await greeted(running.port)).toBe('');

  expect((await first).nums).toBe(1n);
  expect((await second).status).toBe(200);
  expect(await closing).toBe(0);
  await expect(fetch(`${running.url}/healthz`)).rejects.toThrow();
});

test('close, an HTTP/2 connection is told to go away and its running call is answered', async () => {
  const running = await startServer();
  const sessionManager = new Http2SessionManager(running.url);
  const transport = createGrpcTransport({ baseUrl: running.url, sessionManager });
  const client = createClient(Operator, transport);
  const call = client.execute({ datas: ['FAKE_DELAY:300'] });
  await eventually(() => running.embedder.inFlight === 1);
  const closing = running.server.close();
  await eventually(() => sessionManager.state() !== 'open');
  expect((await call).nums).toBe(1n);
  expect(await closing).toBe(0);
});

test('close, idle connections do not hold it up', async () => {
  const running = await startServer();
  await fetch(`${running.url}/healthz`);
  await grpcClient(running.url).healthy({});
  const silent = connectSocket(running.port, '127.0.0.1');
  await new Promise((resolve) => silent.once('connect', resolve));
  const ended = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => {});
  silent.resume();
  const begun = performance.now();
  expect(await running.server.close()).toBe(0);
  await ended;
  expect(performance.now() - begun).toBeLessThan(1 * seconds);
});

test('close, calls that outlast the drain timeout are cut off with UNAVAILABLE', async () => {
  const running = await startServer({ config: { drainTimeout: 100 } });
  const call = grpcClient(running.url).execute({ datas: ['FAKE_DELAY:60000'] });
  const outcome = call.catch((error: unknown) => ConnectError.from(error));
  await eventually(() => running.embedder.inFlight === 1);
  expect(await running.server.close()).toBe(1);
  expect(await outcome).toMatchObject({ code: Code.Unavailable });
  expect(running.embedder.aborted).toBe(1);
});
