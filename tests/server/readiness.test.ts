/** Starting, ready, failed: what probes, Health and the calls say. */
import { expect, test } from 'bun:test';
import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { Embedder } from '../../src/embedder/embedder.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../src/gen/grpc/health/v1/health_pb.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeEmbedder } from '../support/fake-embedder.ts';
import { grpcClient, startServer } from './start-server.ts';

const healthClient = (url: string): Client<typeof Health> =>
  createClient(Health, createGrpcTransport({ baseUrl: url }));

const codeOf = (promise: Promise<unknown>): Promise<Code | 'ok'> =>
  promise.then(
    () => 'ok' as const,
    (error: unknown) => ConnectError.from(error).code,
  );

test('starting, alive but not ready, then ready', async () => {
  const opening = Promise.withResolvers<Embedder>();
  await using running = await startServer({ opening: opening.promise });
  const client = grpcClient(running.url);
  const health = healthClient(running.url);

  expect(await (await fetch(`${running.url}/healthz`)).json()).toEqual({
    status: 'alive',
    state: 'starting',
  });
  const waiting = await fetch(`${running.url}/readyz`);
  expect(waiting.status).toBe(503);
  expect(waiting.headers.get('retry-after')).toBe('1');
  expect(await waiting.json()).toEqual({ status: 'not ready', state: 'starting' });
  expect(await codeOf(client.healthy({}))).toBe(Code.Unavailable);
  expect(await codeOf(client.identity({}))).toBe(Code.Unavailable);
  expect(await codeOf(client.execute({ datas: ['a'] }))).toBe(Code.Unavailable);
  expect((await health.check({})).status).toBe(Status.NOT_SERVING);

  opening.resolve(createFakeEmbedder());
  await eventually(() => running.server.state === 'ready');
  const ready = await fetch(`${running.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ status: 'ready', trained: false });
  expect((await client.healthy({})).healthy).toBe('healthy');
  expect((await health.check({ service: 'omnisearch.Operator' })).status).toBe(Status.SERVING);
});

test('failed, an embedder that could not be opened is never ready', async () => {
  await using running = await startServer({ opening: Promise.reject(new Error('no model')) });
  await eventually(() => running.server.state === 'failed');
  expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  expect(await codeOf(grpcClient(running.url).healthy({}))).toBe(Code.Unavailable);
});

test('recovering, calls are taken while probes send others elsewhere', async () => {
  await using running = await startServer();
  running.embedder.state = 'recovering';
  expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
  expect((await healthClient(running.url).check({})).status).toBe(Status.NOT_SERVING);
  expect((await grpcClient(running.url).execute({ datas: ['a'] })).nums).toBe(1n);
});

test('Health Check, a service that is not here is NOT_FOUND', async () => {
  await using running = await startServer();
  expect(await codeOf(healthClient(running.url).check({ service: 'other' }))).toBe(Code.NotFound);
});

/** What a Watch is told, as it comes, and its end. */
function watchHealth(url: string): { seen: Status[]; watching: Promise<void> } {
  const seen: Status[] = [];
  const follow = async (): Promise<void> => {
    for await (const { status } of healthClient(url).watch({})) seen.push(status);
  };
  return { seen, watching: follow() };
}

test('Health Watch, the state and each change of it, until the operator drains', async () => {
  const opening = Promise.withResolvers<Embedder>();
  await using running = await startServer({ opening: opening.promise });
  const { seen, watching } = watchHealth(running.url);
  await eventually(() => seen.length === 1);
  const embedder = createFakeEmbedder();
  opening.resolve(embedder);
  await eventually(() => seen.length === 2);
  embedder.state = 'failed';
  await eventually(() => seen.length === 3);
  embedder.state = 'ready';
  await eventually(() => seen.length === 4);
  await running.server.close();
  await watching;
  expect(seen).toEqual([
    Status.NOT_SERVING,
    Status.SERVING,
    Status.NOT_SERVING,
    Status.SERVING,
    Status.NOT_SERVING,
  ]);
});

test('Health Watch, another state with the same status is no news', async () => {
  const opening = Promise.withResolvers<Embedder>();
  await using running = await startServer({ opening: opening.promise });
  const { seen, watching } = watchHealth(running.url);
  await eventually(() => seen.length === 1);
  opening.reject(new Error('no model'));
  await eventually(() => running.server.state === 'failed');
  await Bun.sleep(20);
  await running.server.close();
  await watching;
  expect(seen).toEqual([Status.NOT_SERVING]);
});

test('Health Watch, of a service that is not here says so and stays open', async () => {
  await using running = await startServer();
  const cancel = new AbortController();
  const seen: Status[] = [];
  const watching = (async () => {
    const options = { signal: cancel.signal };
    for await (const { status } of healthClient(running.url).watch({ service: 'other' }, options))
      seen.push(status);
  })();
  await eventually(() => seen.length === 1);
  expect(seen).toEqual([Status.SERVICE_UNKNOWN]);
  expect(running.server.calls).toBe(1);
  cancel.abort();
  expect(await codeOf(watching)).toBe(Code.Canceled);
  await eventually(() => running.server.calls === 0);
});

test('Health Check, a name that is cut within a character is answered all the same', async () => {
  await using running = await startServer();
  for (const length of [277, 278, 279, 280]) {
    const service = `${'a'.repeat(length)}${'😀'.repeat(20)}`;
    expect(await codeOf(healthClient(running.url).check({ service }))).toBe(Code.NotFound);
  }
});
