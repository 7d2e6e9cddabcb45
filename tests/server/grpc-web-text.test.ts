import { afterAll, beforeAll, expect, test } from 'bun:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { HealthCheckRequestSchema } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { ExecuteReplySchema, ExecuteRequestSchema } from '../../src/gen/omnisearch/operator_pb.ts';
import {
  decodeBase64Stream,
  encodeBase64Stream,
  encodeBase64Whole,
} from '../../src/server/calls/grpc-web-text.ts';
import { startServer, type TestServer } from './start-server.ts';

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** Cuts bytes where the numbers say. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((p) => p % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length));
}

test('base64 stream, what was encoded in any pieces is decoded from any other', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.array(fc.nat(200), { maxLength: 8 }), async (parts, places) => {
      for (const encode of [encodeBase64Stream, encodeBase64Whole]) {
        const text = await whole(encode(chunks(...parts)));
        const back = await whole(decodeBase64Stream(chunks(...cut(text, places))));
        expect(back.equals(Buffer.concat(parts))).toBe(true);
      }
    }),
  );
});

test.each(['AAA', 'AA*A', 'A===', 'AAA=A', '=AAA', 'AA\nAAAA'])(
  'base64 stream, %j is refused',
  async (text) => {
    const decoding = whole(decodeBase64Stream(chunks(Buffer.from(text))));
    await expect(decoding).rejects.toThrow('application/grpc-web-text');
  },
);

test('base64 stream, padded in every group is refused: each is a piece of work of its own', async () => {
  const decode = (...groups: number[]) =>
    whole(decodeBase64Stream(chunks(...groups.map((n) => Buffer.from('QQ=='.repeat(n))))));
  expect(await decode(60)).toHaveLength(60);
  await expect(decode(100)).rejects.toThrow('padded too often');
  await expect(decode(40, 40)).rejects.toThrow('padded too often');
});

let running: TestServer;
beforeAll(async () => {
  running = await startServer();
});
afterAll(() => running[Symbol.asyncDispose]());

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const post = (path: string, body: string): Promise<Response> =>
  fetch(running.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/grpc-web-text',
      accept: 'application/grpc-web-text',
      'x-grpc-web': '1',
    },
    body,
  });

test('Execute, the reply is one base64 text with padding at its end only', async () => {
  const request = create(ExecuteRequestSchema, { datas: ['one', 'two'] });
  const body = frame(toBinary(ExecuteRequestSchema, request)).toString('base64');
  const reply = await post('/omnisearch.Operator/Execute', body);
  expect(reply.headers.get('content-type')).toBe('application/grpc-web-text+proto');
  const text = await reply.text();
  expect(text).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
  const bytes = Buffer.from(text, 'base64');
  const length = bytes.readUInt32BE(1);
  expect(fromBinary(ExecuteReplySchema, bytes.subarray(5, 5 + length)).nums).toBe(2n);
  const trailer = bytes.subarray(5 + length);
  expect(trailer[0]).toBe(0x80);
  expect(trailer.subarray(5).toString()).toContain('grpc-status: 0');
});

test('Execute, an error comes in a trailer frame', async () => {
  const request = create(ExecuteRequestSchema, { datas: ['FAKE_FAIL:IMAGE_CORRUPT'] });
  const body = frame(toBinary(ExecuteRequestSchema, request)).toString('base64');
  const bytes = Buffer.from(
    await (await post('/omnisearch.Operator/Execute', body)).text(),
    'base64',
  );
  expect(bytes[0]).toBe(0x80);
  expect(bytes.subarray(5).toString()).toContain('grpc-status: 3\r\n');
});

test('Execute, a body that is not base64 is INVALID_ARGUMENT', async () => {
  const reply = await post('/omnisearch.Operator/Execute', 'this is !!! not base64');
  const bytes = Buffer.from(await reply.text(), 'base64');
  expect(bytes.subarray(5).toString()).toContain('grpc-status: 3\r\n');
});

test('Watch, each message of a stream is readable as soon as it is there', async () => {
  const request = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema));
  const reply = await post('/grpc.health.v1.Health/Watch', frame(request).toString('base64'));
  const reader = reply.body?.getReader();
  const first = await reader?.read();
  const bytes = Buffer.from(Buffer.from(first?.value ?? []).toString(), 'base64');
  // Frame of 2 bytes: field 1, SERVING.
  expect([...bytes]).toEqual([0, 0, 0, 0, 2, 8, 1]);
  await reader?.cancel();
});

test('grpc-web-text, a refusal that is none of gRPC-web’s replies is not encoded: its length holds', async () => {
  const reply = await fetch(`${running.url}/omnisearch.Operator/Healthy`, {
    method: 'PUT',
    headers: { 'content-type': 'application/grpc-web-text' },
  });
  expect(reply.status).toBe(405);
  expect(reply.headers.get('content-type')).toBe('application/json');
  expect(await reply.json()).toEqual({ error: expect.stringContaining('POST') });
});
