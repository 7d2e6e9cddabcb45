/** Messages that are too large, malformed, compressed or in base64. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:http2';
import { gunzipSync, gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
} from '@connectrpc/connect-node';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import {
  ExecuteReplySchema,
  ExecuteRequestSchema,
  Operator,
} from '../../src/gen/omnisearch/operator_pb.ts';
import { failureOf } from '../support/call-failure.ts';
import { eventually } from '../support/eventually.ts';
import { postJson, startServer, type TestServer, transports } from './start-server.ts';

const KiB = 1024;
let running: TestServer;
beforeAll(async () => {
  running = await startServer({ config: { maxMessageBytes: 64 * KiB, maxImages: 100 } });
});
afterAll(() => running[Symbol.asyncDispose]());

describe.each(Object.entries(transports))('%s', (_, transport) => {
  test('a request over the limit is RESOURCE_EXHAUSTED and names the flag', async () => {
    const client = createClient(Operator, transport(running.url));
    const error = await failureOf(client.execute({ datas: ['a'.repeat(200 * KiB)] }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toContain('at most 65536 bytes are allowed (--max-message-bytes)');
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('MESSAGE_TOO_LARGE');
    expect((await client.healthy({})).healthy).toBe('healthy');
  });

  test('a reply over the limit is RESOURCE_EXHAUSTED as well', async () => {
    const client = createClient(Operator, transport(running.url));
    const error = await failureOf(client.execute({ datas: Array<string>(20).fill('a') }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(/^the reply has \d+ bytes; .*--max-message-bytes/);
  });

  test('what was refused before it was read to its end leaves nothing behind', async () => {
    await eventually(() => running.server.calls === 0);
  });
});

/** One HTTP/2 request with prior knowledge. */
function http2Post(
  url: string,
  path: string,
  headers: Record<string, string>,
  body: Uint8Array,
): Promise<{ headers: Record<string, unknown>; trailers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      te: 'trailers',
      ...headers,
    });
    const chunks: Buffer[] = [];
    let received: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    stream.on('response', (h) => {
      received = h;
    });
    stream.on('trailers', (t) => {
      trailers = t;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      session.close();
      resolve({ headers: received, trailers, body: Buffer.concat(chunks) });
    });
    stream.end(body);
  });
}

const execute = '/omnisearch.Operator/Execute';
const healthy = '/omnisearch.Operator/Healthy';

function frame(message: Uint8Array, flags = 0): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const request = (...datas: string[]): Uint8Array =>
  toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { datas }));

test('malformed protobuf, gRPC: INVALID_ARGUMENT', async () => {
  const type = { 'content-type': 'application/grpc' };
  const reply = await http2Post(running.url, execute, type, frame(Buffer.from([0xff, 0xff, 0xff])));
  expect(reply.trailers['grpc-status']).toBe('3');
  expect(decodeURIComponent(String(reply.trailers['grpc-message']))).toStartWith(
    'the request is malformed: ',
  );
});

test('malformed protobuf, gRPC-web: INVALID_ARGUMENT in the trailer frame', async () => {
  const reply = await fetch(running.url + execute, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: frame(Buffer.from([0x12, 0x05, 0x41])),
  });
  const body = Buffer.from(await reply.arrayBuffer());
  expect(body[0]).toBe(0x80);
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  expect(body.subarray(5).toString()).toContain('grpc-status: 3\r\n');
});

test('malformed protobuf, Connect: 400', async () => {
  const reply = await fetch(running.url + execute, {
    method: 'POST',
    headers: { 'content-type': 'application/proto' },
    body: Buffer.from([0xff, 0xff]),
  });
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({ code: 'invalid_argument' });
});

test.each([
  [
    '{"datas":"not-a-list-but-perhaps-an-image"}',
    'omnisearch.ExecuteRequest.datas: expected Array',
  ],
  ['{"datas":[', 'omnisearch.ExecuteRequest: the body is not a JSON object, or not a whole one'],
  ['secret', 'omnisearch.ExecuteRequest: the body is not a JSON object, or not a whole one'],
  ['', 'omnisearch.ExecuteRequest: the body is empty; the JSON of a message without fields is {}'],
])('malformed JSON, %s: what was sent is not quoted', async (body, words) => {
  const reply = await postJson(running.url, 'Execute', body);
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({ message: `the request is malformed: ${words}` });
});

test('JSON, a field that is not there is named: a misspelt one would be an empty request', async () => {
  const reply = await postJson(running.url, 'Execute', { data: ['a'] });
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({
    code: 'invalid_argument',
    message: 'the request is malformed: it has no field "data"; there are urls and datas',
  });
  const long = await postJson(running.url, 'Execute', { ['x"y'.repeat(1000)]: 1 });
  expect(((await long.json()) as { message: string }).message.length).toBeLessThan(150);
});

test('binary, a field that is not there is passed over: a later .proto may have it', async () => {
  const later = Buffer.concat([request('a'), Buffer.of((7 << 3) | 2, 1, 0x61)]);
  const type = { 'content-type': 'application/grpc' };
  const reply = await http2Post(running.url, execute, type, frame(later));
  expect(reply.trailers['grpc-status']).toBe('0');
  expect(fromBinary(ExecuteReplySchema, reply.body.subarray(5)).vectors).toHaveLength(1);
});

test('a frame that says more bytes than follow is INVALID_ARGUMENT', async () => {
  const whole = frame(request('abc'));
  const type = { 'content-type': 'application/grpc' };
  const reply = await http2Post(running.url, execute, type, whole.subarray(0, 7));
  expect(reply.trailers['grpc-status']).toBe('3');
});

test('gzip, a packed request is unpacked and its reply packed where it is large', async () => {
  const type = { 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' };
  const accept = { ...type, 'grpc-accept-encoding': 'identity,deflate,gzip' };
  const message = gzipSync(request(...Array<string>(3).fill('a')));
  const reply = await http2Post(running.url, execute, accept, frame(message, 1));
  expect(reply.headers['grpc-encoding']).toBe('gzip');
  expect(reply.body[0]).toBe(1);
  const vectors = fromBinary(ExecuteReplySchema, gunzipSync(reply.body.subarray(5))).vectors;
  expect(vectors).toHaveLength(3);
});

test('gzip, a reply with one vector is not packed for nothing', async () => {
  const type = { 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' };
  const reply = await http2Post(running.url, execute, type, frame(gzipSync(request('a')), 1));
  expect(reply.body[0]).toBe(0);
});

test('gzip, vectors are not packed for clients that merely could unpack them', async () => {
  const type = { 'content-type': 'application/grpc', 'grpc-accept-encoding': 'gzip' };
  const reply = await http2Post(running.url, execute, type, frame(request('a', 'b', 'c')));
  expect(reply.headers['grpc-encoding']).toBeUndefined();
  expect(reply.body[0]).toBe(0);
});

test('gzip, JSON with a vector is packed for whoever offers it', async () => {
  const packed = await postJson(
    running.url,
    'Execute',
    { datas: ['a'] },
    { 'accept-encoding': 'gzip' },
  );
  expect(packed.headers.get('content-encoding')).toBe('gzip');
  expect(await packed.json()).toMatchObject({ nums: '1' });
  const small = await postJson(running.url, 'Healthy', {}, { 'accept-encoding': 'gzip' });
  expect(small.headers.get('content-encoding')).toBeNull();
});

test('gzip, a bomb is RESOURCE_EXHAUSTED before it is unpacked', async () => {
  for (const transport of [
    createGrpcTransport({ baseUrl: running.url, sendCompression: compressionGzip }),
    createConnectTransport({
      baseUrl: running.url,
      httpVersion: '1.1',
      sendCompression: compressionGzip,
    }),
  ]) {
    const client = createClient(Operator, transport);
    const error = await failureOf(client.execute({ datas: ['a'.repeat(20 * KiB * KiB)] }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toContain('--max-message-bytes');
  }
});

/** The code of the catalogue that a failed gRPC call carries in its details (google.rpc.Status). */
function reasonOf(trailers: Record<string, unknown>): string | undefined {
  const list = Object.entries(trailers).map(([name, value]) => [name, String(value)]);
  const error = findTrailerError(new Headers(list as [string, string][]));
  return error?.findDetails(ErrorInfoSchema)[0]?.reason;
}

test('what Connect refuses by itself carries a code of the catalogue as well', async () => {
  const type = { 'content-type': 'application/grpc' };
  const snappy = { ...type, 'grpc-encoding': 'snappy' };
  const packed = await http2Post(running.url, execute, snappy, frame(request('a'), 1));
  expect(reasonOf(packed.trailers)).toBe('REQUEST_UNSUPPORTED');
  const none = await http2Post(running.url, healthy, type, Buffer.alloc(0));
  expect(reasonOf(none.trailers)).toBe('REQUEST_UNSUPPORTED');
  const late = await http2Post(
    running.url,
    execute,
    { ...type, 'grpc-timeout': '50m' },
    frame(request('FAKE_DELAY:500')),
  );
  expect(late.trailers['grpc-status']).toBe('4');
  expect(reasonOf(late.trailers)).toBe('DEADLINE');
  const timeout = { ...type, 'grpc-timeout': 'soon' };
  const badly = await http2Post(running.url, execute, timeout, frame(request('a')));
  expect(reasonOf(badly.trailers)).toBe('REQUEST_MALFORMED');
  const long = { 'connect-timeout-ms': 'soon'.repeat(400) };
  const quoted = await postJson(running.url, 'Execute', {}, long);
  const { message } = (await quoted.json()) as { message: string };
  // What was sent is not sent back in full.
  expect(message).toContain('soonsoon');
  expect(message.length).toBeLessThanOrEqual(301);
  const json = await postJson(running.url, 'Execute', {}, { 'connect-timeout-ms': 'soon' });
  expect(await json.json()).toMatchObject({
    code: 'invalid_argument',
    details: [{ debug: { reason: 'REQUEST_MALFORMED' } }],
  });
});

test('a deadline that no timer can hold is none', async () => {
  const type = { 'content-type': 'application/grpc' };
  const slow = 'FAKE_DELAY:50';
  // 25 days and more than a thousand years.
  for (const far of ['600H', '99999999H']) {
    const headers = { ...type, 'grpc-timeout': far };
    const reply = await http2Post(running.url, execute, headers, frame(request(slow)));
    expect(reply.trailers['grpc-status']).toBe('0');
  }
  const far = { 'connect-timeout-ms': '9999999999' };
  expect((await postJson(running.url, 'Execute', { datas: [slow] }, far)).status).toBe(200);
});

test('a link-local address with its interface, as grpcio writes it, is as good as any', async () => {
  for (const authority of ['[fe80::1%eth0]:52001', '[fe80::1%25eth0]:52001']) {
    const headers = { ':authority': authority, 'content-type': 'application/grpc' };
    const reply = await http2Post(running.url, healthy, headers, frame(Buffer.alloc(0)));
    expect(reply.headers[':status']).toBe(200);
    expect(reply.trailers['grpc-status']).toBe('0');
    const json = await postJson(running.url, 'Healthy', {}, { host: authority });
    expect(await json.json()).toEqual({ healthy: 'healthy' });
  }
});

test('an unknown compression is UNIMPLEMENTED and says what there is', async () => {
  const type = { 'content-type': 'application/grpc', 'grpc-encoding': 'snappy' };
  const reply = await http2Post(running.url, execute, type, frame(request('a'), 1));
  expect(reply.trailers['grpc-status']).toBe('12');
  expect(decodeURIComponent(String(reply.trailers['grpc-message']))).toContain('gzip');
});

test.each([
  ['application/grpc', 'grpc-status'],
  ['application/grpc+proto', 'grpc-status'],
  ['application/grpc-web+proto', 'grpc-status'],
])('an unknown method, %s: UNIMPLEMENTED in the headers', async (type, status) => {
  for (const path of ['/omnisearch.Operator/Nothing', '/other.Service/Execute']) {
    const reply = await http2Post(running.url, path, { 'content-type': type }, frame(request()));
    expect(reply.headers[':status']).toBe(200);
    expect(reply.headers[status]).toBe('12');
    expect(reply.headers['content-type']).toBe(type);
  }
});

test('an unknown method, Connect: 404; GET on a call: 405; another content type: 415', async () => {
  expect((await postJson(running.url, 'Nothing', {})).status).toBe(404);
  const got = await fetch(running.url + execute);
  expect(got.status).toBe(405);
  expect(got.headers.get('allow')).toBe('POST');
  expect(await got.json()).toEqual({ error: 'a call is made with POST' });
  const text = { 'content-type': 'text/plain' };
  const typed = await postJson(running.url, 'Execute', {}, text);
  expect(typed.status).toBe(415);
  expect(await typed.json()).toMatchObject({ error: expect.stringContaining('application/json') });
});

test('a stream in both directions over HTTP/1.1: 505, and why', async () => {
  const reply = await fetch(
    `${running.url}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`,
    { method: 'POST', headers: { 'content-type': 'application/connect+json' }, body: '' },
  );
  expect(reply.status).toBe(505);
  expect(await reply.json()).toEqual({
    error: 'a call that streams in both directions needs HTTP/2',
  });
});
