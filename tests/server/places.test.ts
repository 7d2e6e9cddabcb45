/** How many there may be at once of each kind, and that what one client keeps open does not keep others out. */
import { expect, test } from 'bun:test';
import { connect } from 'node:http2';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { Health } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { createPlaces } from '../../src/server/limits/places.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient, postJson, startServer } from './start-server.ts';

const page = 'https://page.example';
const patience = 1000;

test('createPlaces, all are taken: refused, until one leaves', () => {
  let refused = 0;
  const places = createPlaces({ most: 2, are: 'open', onFull: () => refused++ });
  const first = places.enter(() => {});
  places.enter(() => {});
  expect(places.enter(() => {})).toBeUndefined();
  expect([refused, places.full]).toEqual([1, '2 open']);
  first?.leave();
  first?.leave();
  expect(places.enter(() => {})).toBeDefined();
  expect(places.enter(() => {})).toBeUndefined();
});

test('createPlaces, the one whose client has paused longest gives way; who waits for us does not', async () => {
  const places = createPlaces({ most: 3, are: 'open' });
  const gone: string[] = [];
  const enter = (name: string) => places.enter(() => gone.push(name));
  const left = enter('has left');
  left?.leave();
  // A last word of its connection, which comes late.
  left?.clientsTurn();
  enter('computes')?.ourTurn();
  const sends = enter('sends');
  enter('pauses');
  await Bun.sleep(patience + 50);
  sends?.clientsTurn();
  expect(enter('newcomer')).toBeDefined();
  expect(gone).toEqual(['pauses']);
  expect(enter('another')).toBeUndefined();
});

/** Executes over one connection of which only the header comes. */
function openExecutes(url: string, count: number) {
  const session = connect(url);
  session.on('error', () => {});
  const replies: Promise<Record<string, unknown>>[] = [];
  for (let i = 0; i < count; i++) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/omnisearch.Operator/Execute',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.resume();
    replies.push(
      new Promise((resolve) => {
        stream.once('trailers', resolve);
        stream.once('response', (headers) => 'grpc-status' in headers && resolve(headers));
      }),
    );
  }
  return { replies, close: () => session.destroy() };
}

test('--max-calls, whoever asks how it goes is answered; a refusal is readable for a page, and logged', async () => {
  await using running = await startServer({ config: { maxCalls: 4, corsOrigin: [page] } });
  const calls = ['a', 'b', 'c', 'd'].map(() =>
    postJson(running.url, 'Execute', { datas: ['FAKE_DELAY:2000'] }),
  );
  await eventually(() => running.embedder.inFlight === 4);
  for (const path of ['/healthz', '/readyz'])
    expect((await fetch(running.url + path)).status).toBe(200);
  expect((await grpcClient(running.url).healthy({})).healthy).toBe('healthy');
  const health = createClient(Health, createGrpcTransport({ baseUrl: running.url }));
  expect(await health.check({})).toBeDefined();

  const headers = { origin: page, 'x-request-id': 'one-too-many' };
  const refused = await postJson(running.url, 'Execute', { datas: ['a'] }, headers);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('access-control-allow-origin')).toBe(page);
  expect(refused.headers.get('x-request-id')).toBe('one-too-many');
  const message = '4 calls are being answered (--max-calls)';
  expect(await refused.json()).toMatchObject({ code: 'resource_exhausted', message });
  const line = await running.logged((l) => l.requestId === 'one-too-many');
  expect(line).toMatchObject({ code: 'resource_exhausted', error: 'OVERLOADED', message });
  for (const call of calls) expect((await call).status).toBe(200);
});

test('--max-calls, a call that has been answered makes room at once', async () => {
  await using running = await startServer({ config: { maxCalls: 2 } });
  for (let i = 0; i < 6; i++)
    expect((await postJson(running.url, 'Execute', { datas: ['a'] })).status).toBe(200);
});

test('--max-calls, calls that do not come keep nobody out', async () => {
  await using running = await startServer({ config: { maxCalls: 4 } });
  const idle = openExecutes(running.url, 4);
  await eventually(() => running.server.calls === 4);
  await Bun.sleep(patience + 50);
  expect((await postJson(running.url, 'Execute', { datas: ['a'] })).status).toBe(200);
  expect((await Promise.race(idle.replies))['grpc-message']).toContain('whose client paused');
  idle.close();
});

test('--max-calls, replies that nobody reads keep nobody out', async () => {
  await using running = await startServer({ config: { maxCalls: 4 } });
  const session = connect(running.url, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  const open = (path: string, body?: string): void => {
    const stream = session.request({
      ':method': body ? 'POST' : 'GET',
      ':path': path,
      ...(body && { 'content-type': 'application/json' }),
    });
    stream.on('error', () => {});
    stream.end(body);
  };
  for (let i = 0; i < 4; i++) {
    open('/omnisearch.Operator/Execute', '{"datas":["a"]}');
    open('/healthz');
  }
  await eventually(() => running.server.calls === 8);
  await Bun.sleep(patience + 50);
  expect((await postJson(running.url, 'Execute', { datas: ['a'] })).status).toBe(200);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  session.destroy();
  const codes = () => running.logs.flatMap(({ msg, code }) => (msg === 'call' ? [code] : []));
  await eventually(() => codes().length === 5);
  // Nobody has had four of the five replies.
  expect(codes().sort()).toEqual([...Array(4).fill('canceled'), 'ok']);
});

test('--max-calls, a refusal that nobody reads is given up', async () => {
  await using running = await startServer({ config: { maxCalls: 1 } });
  const call = postJson(running.url, 'Execute', { datas: ['FAKE_DELAY:4000'] });
  await eventually(() => running.embedder.inFlight === 1);
  const session = connect(running.url, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/omnisearch.Operator/Execute',
    'content-type': 'application/json',
  });
  stream.on('error', () => {});
  stream.end('{}');
  await eventually(() => running.server.calls === 2);
  await eventually(() => running.server.calls === 1);
  expect(running.embedder.inFlight).toBe(1);
  session.destroy();
  expect((await call).status).toBe(200);
});

test('--request-timeout, a route’s reply that nobody reads is given up', async () => {
  await using running = await startServer({ config: { requestTimeout: 300 } });
  const session = connect(running.url, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  session.request({ ':path': '/healthz' }).on('error', () => {});
  await eventually(() => running.server.calls === 1);
  await eventually(() => running.server.calls === 0);
  session.destroy();
});

test('Watch, streams without end keep nobody out; the oldest gives way', async () => {
  await using running = await startServer({ config: { maxCalls: 4 } });
  const stop = new AbortController();
  const endings: ConnectError[] = [];
  const watch = async (client: ReturnType<typeof health>): Promise<void> => {
    try {
      for await (const _ of client.watch({}, { signal: stop.signal }));
    } catch (error) {
      endings.push(ConnectError.from(error));
    }
  };
  const health = () => createClient(Health, createGrpcTransport({ baseUrl: running.url }));
  const watching = [90, 90, 76].flatMap((count) => {
    const client = health();
    return Array.from({ length: count }, () => watch(client));
  });
  await eventually(() => running.server.calls === 256);
  expect((await postJson(running.url, 'Execute', { datas: ['a'] })).status).toBe(200);
  await Bun.sleep(patience + 50);
  watching.push(watch(health()));
  await eventually(() => endings.length === 1);
  expect(endings[0]?.code).toBe(Code.ResourceExhausted);
  expect(endings[0]?.findDetails(ErrorInfoSchema)[0]?.reason).toBe('OVERLOADED');
  stop.abort();
  await Promise.all(watching);
});
