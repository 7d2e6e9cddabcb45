import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Code, createClient } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { Operator } from '../../src/gen/omnisearch/operator_pb.ts';
import { failureOf } from '../support/call-failure.ts';
import { eventually } from '../support/eventually.ts';
import { fakeVector } from '../support/fake-embedder.ts';
import { grpcClient, startServer, type TestServer, transports } from './start-server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startServer({
    config: { maxImages: 8, endpoint: { host: 'edge', port: 1, text: 'edge:1' } },
  });
});
afterAll(() => running[Symbol.asyncDispose]());

describe.each(Object.entries(transports))('%s', (_, transport) => {
  test('Execute, a vector for each item in order', async () => {
    const client = createClient(Operator, transport(running.url));
    let headers = new Headers();
    const reply = await client.execute(
      { datas: ['one', 'two', 'one'] },
      {
        onHeader: (received) => {
          headers = received;
        },
      },
    );
    expect(reply.nums).toBe(3n);
    const expected = ['one', 'two', 'one'].map((text) => Array.from(fakeVector(text, 2048)));
    expect(reply.vectors.map((vector) => vector.element)).toEqual(expected);
    expect(reply.metadata).toEqual([]);
    expect(headers.get('x-model-id')).toBe('resnet50_encoder-fp32-0000000000000000');
    expect(headers.get('x-model-trained')).toBe('false');
    expect(headers.get('server-timing')).toContain('decode;dur=1.3');
  });

  test('Healthy and Identity, as Phantoscope expects them', async () => {
    const client = createClient(Operator, transport(running.url));
    expect((await client.healthy({})).healthy).toBe('healthy');
    expect(await client.identity({})).toMatchObject({
      name: 'resnet50_encoder',
      endpoint: 'edge:1',
      type: 'encoder',
      input: 'image',
      output: 'vector',
      dimension: '2048',
      metricType: 'L2',
    });
  });

  test('Execute, the error names the item, its code and the field', async () => {
    const client = createClient(Operator, transport(running.url));
    const error = await failureOf(client.execute({ datas: ['fine', 'FAKE_FAIL:IMAGE_TRUNCATED'] }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toBe('datas[1]: made up: IMAGE_TRUNCATED');
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: 'IMAGE_TRUNCATED' });
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      { field: 'datas[1]', description: 'made up: IMAGE_TRUNCATED' },
    ]);
    const several = await failureOf(
      client.execute({ datas: ['FAKE_FAIL:IMAGE_EMPTY', 'fine', 'FAKE_FAIL:IMAGE_CORRUPT'] }),
    );
    expect(several.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: 'IMAGE_EMPTY' });
    expect(several.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      { field: 'datas[0]', description: 'made up: IMAGE_EMPTY' },
      { field: 'datas[2]', description: 'made up: IMAGE_CORRUPT' },
    ]);
  });
});

test('Execute, an empty request has no vectors and no error', async () => {
  const reply = await grpcClient(running.url).execute({});
  expect(reply).toMatchObject({ nums: 0n, vectors: [], metadata: [] });
});

test('Execute, urls are ignored where there are datas', async () => {
  const urls = ['FAKE_CRASH', ''];
  const reply = await grpcClient(running.url).execute({ datas: ['one'], urls });
  expect(reply.nums).toBe(1n);
});

test('Execute, urls alone are the images', async () => {
  const error = await failureOf(
    grpcClient(running.url).execute({ urls: ['one', 'FAKE_FAIL:URL_FORBIDDEN'] }),
  );
  expect(error.code).toBe(Code.PermissionDenied);
  expect(error.rawMessage).toStartWith('urls[1]: ');
});

test('Execute, more images than allowed are refused by the name of the flag', async () => {
  const client = grpcClient(running.url);
  expect((await client.execute({ datas: Array<string>(8).fill('a') })).nums).toBe(8n);
  const error = await failureOf(client.execute({ datas: Array<string>(9).fill('a') }));
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toBe('datas[8]: more than 8 images in one call (--max-images)');
});

test.each([
  ['OVERLOADED', Code.ResourceExhausted],
  ['URL_UNREACHABLE', Code.Unavailable],
  ['INFERENCE_FAILED', Code.Internal],
  ['DEADLINE', Code.DeadlineExceeded],
  ['CANCELLED', Code.Canceled],
  ['DRAINING', Code.Unavailable],
  ['URL_FETCH_OFF', Code.PermissionDenied],
  ['TOO_MANY_IMAGES', Code.InvalidArgument],
  ['REQUEST_UNSUPPORTED', Code.Unimplemented],
] as const)('Execute, %s has its gRPC code', async (code, expected) => {
  const error = await failureOf(grpcClient(running.url).execute({ datas: [`FAKE_FAIL:${code}`] }));
  expect(error.code).toBe(expected);
});

test('Execute, what nobody foresaw is INTERNAL, its cause in the log and not on the wire', async () => {
  const error = await failureOf(grpcClient(running.url).execute({ datas: ['FAKE_CRASH'] }));
  expect(error.code).toBe(Code.Internal);
  expect(error.rawMessage).toBe('internal error');
  const line = await running.logged((l) => l.code === 'internal' && l.error === 'INTERNAL');
  expect(line.err).toMatchObject({ type: 'TypeError', message: 'made up' });
});

test('Execute, fewer vectors than images is an error and never an answer', async () => {
  const error = await failureOf(grpcClient(running.url).execute({ datas: ['a', 'FAKE_SHORT'] }));
  expect(error.code).toBe(Code.Internal);
});

test('Execute, a client that cancels ends the work', async () => {
  const before = running.embedder.aborted;
  const cancel = new AbortController();
  const call = grpcClient(running.url).execute(
    { datas: ['FAKE_DELAY:60000'] },
    { signal: cancel.signal, headers: { 'x-request-id': 'cancelled-call' } },
  );
  await eventually(() => running.embedder.inFlight === 1);
  cancel.abort();
  expect((await failureOf(call)).code).toBe(Code.Canceled);
  await eventually(() => running.embedder.aborted === before + 1);
  expect(running.embedder.inFlight).toBe(0);
  const line = await running.logged((l) => l.requestId === 'cancelled-call');
  expect(line.code).toBe('canceled');
});

test.each(Object.entries(transports))(
  'deadline, %s: kept, and the work ends',
  async (_, transport) => {
    const client = createClient(Operator, transport(running.url));
    const before = running.embedder.aborted;
    const call = client.execute({ datas: ['FAKE_DELAY:60000'] }, { timeoutMs: 100 });
    expect((await failureOf(call)).code).toBe(Code.DeadlineExceeded);
    await eventually(() => running.embedder.aborted === before + 1);
  },
);

test('deadline, the server answers by itself when the client only states one', async () => {
  const reply = await fetch(`${running.url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'connect-timeout-ms': '50' },
    body: '{"datas":["FAKE_DELAY:60000"]}',
  });
  expect(reply.status).toBe(504);
  expect(await reply.json()).toMatchObject({ code: 'deadline_exceeded' });
});
