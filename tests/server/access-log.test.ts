import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:http2';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { grpcClient, postJson, startServer, type TestServer } from './start-server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startServer();
});
afterAll(() => running[Symbol.asyncDispose]());

test('access line, has the call, its size, its outcome and the split of its time', async () => {
  const headers = { 'x-request-id': 'id-1' };
  await grpcClient(running.url).execute({ datas: ['one', 'two'] }, { headers });
  const line = await running.logged((l) => l.requestId === 'id-1');
  expect(line).toMatchObject({
    level: 30,
    msg: 'call',
    service: 'omnisearch.Operator',
    method: 'Execute',
    protocol: 'grpc',
    http: '2.0',
    code: 'ok',
    images: 2,
    // Two strings of three letters with two bytes before each, in a frame with a head of five.
    bytes: 15,
    modelId: 'resnet50_encoder-fp32-0000000000000000',
    source: 0,
    decode: 1.25,
    preprocess: 0.5,
    queue: 2,
    infer: 3,
  });
  expect(line.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(line.ms).toBeNumber();
  expect(line.replyBytes).toBeWithin(16_000, 17_000);
});

test('access line, an error has its code and what was said', async () => {
  const headers = { 'x-request-id': 'id-2' };
  await postJson(running.url, 'Execute', { datas: ['FAKE_FAIL:BASE64_INVALID'] }, headers);
  expect(await running.logged((l) => l.requestId === 'id-2')).toMatchObject({
    protocol: 'connect',
    http: '1.1',
    code: 'invalid_argument',
    error: 'BASE64_INVALID',
    message: 'datas[0]: made up: BASE64_INVALID',
  });
});

test("access line, of a client's mistake what was found, of our own where it was", async () => {
  const call = (word: string, id: string) =>
    postJson(running.url, 'Execute', { datas: [word] }, { 'x-request-id': id });
  await call('FAKE_FAIL:URL_FORBIDDEN', 'id-3');
  const mistake = await running.logged((l) => l.requestId === 'id-3');
  expect(mistake.reason).toBe('what was found');
  expect(mistake.err).toBeUndefined();
  await call('FAKE_FAIL:INFERENCE_FAILED', 'id-4');
  const failure = await running.logged((l) => l.requestId === 'id-4');
  expect((failure.err as { stack: string }).stack).toContain('fake-embedder.ts');
  expect(failure.reason).toBeUndefined();
});

test('access line, what was sent is in no line', async () => {
  const secret = 'c2VjcmV0IHBpY3R1cmU';
  const id = (n: number): Record<string, string> => ({ 'x-request-id': `secret-${n}` });
  await postJson(running.url, 'Execute', { datas: [secret] }, id(0));
  await postJson(running.url, 'Execute', { datas: secret }, id(1));
  await postJson(running.url, 'Execute', `{"datas":["${secret}`, id(2));
  await fetch(`${running.url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/proto', ...id(3) },
    body: `\x12\x7f${secret}`,
  });
  for (let n = 0; n < 4; n++) await running.logged((l) => l.requestId === `secret-${n}`);
  expect(JSON.stringify(running.logs)).not.toContain(secret.slice(0, 8));
});

test('request id, the client’s is given back, an implausible one is replaced', async () => {
  const kept = await postJson(running.url, 'Healthy', {}, { 'x-request-id': 'abc-123' });
  expect(kept.headers.get('x-request-id')).toBe('abc-123');
  for (const id of ['a b"c', 'a'.repeat(129)]) {
    const replaced = await postJson(running.url, 'Healthy', {}, { 'x-request-id': id });
    expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('probes, are logged at debug', async () => {
  await createClient(Health, createGrpcTransport({ baseUrl: running.url })).check({});
  const line = await running.logged((l) => l.service === 'grpc.health.v1.Health');
  expect(line).toMatchObject({ level: 20, method: 'Check', code: 'ok' });
});

test('access line, a stream that fails after its first message says so', async () => {
  const session = connect(running.url);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    'content-type': 'application/grpc',
    'x-request-id': 'stream-1',
    te: 'trailers',
  });
  stream.resume();
  stream.write(Buffer.alloc(5));
  await new Promise((resolve) => stream.once('data', resolve));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff]));
  const line = await running.logged((l) => l.requestId === 'stream-1');
  session.destroy();
  expect(line.code).not.toBe('ok');
  expect(line.message).toBeString();
});
