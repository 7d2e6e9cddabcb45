/** Connections that are half open, half sent or cut off, and what a browser's classic client sends. */
import { expect } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ExecuteReplySchema, ExecuteRequestSchema } from '../../src/gen/omnisearch/operator_pb.ts';
import { contractTest, noProgram, sharedOperator } from './contract-test.ts';
import { norm, smallPicture } from './pictures.ts';

const operator = sharedOperator();

async function open(): Promise<Socket> {
  const socket = connect({ port: operator().port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

async function stillHealthy(): Promise<void> {
  const reply = await fetch(`${operator().url}/omnisearch.Operator/Healthy`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(await reply.json()).toEqual({ healthy: 'healthy' });
}

const output = (command: string[]): Promise<string> =>
  new Response(Bun.spawn(command, { stdout: 'pipe' }).stdout).text();

/** A call as HTTP/1.1 text. */
function request(body: string): string {
  const head = 'POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: operator\r\n';
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

contractTest('a client that closes its half after asking gets its vector', async () => {
  const socket = await open();
  socket.end(request(JSON.stringify({ datas: [smallPicture(1)] })));
  const text = (await Array.fromAsync(socket)).join('');
  expect(text).toStartWith('HTTP/1.1 200');
  expect(text).toContain('"nums":"1"');
});

contractTest('connections cut off anywhere in a request do no harm', async () => {
  const whole = request(JSON.stringify({ datas: Array<string>(20).fill(smallPicture(1)) }));
  for (let i = 0; i < 40; i++) {
    const socket = await open();
    const part = whole.slice(0, Math.floor((whole.length * i) / 39));
    await new Promise((resolve) => socket.write(part, resolve));
    if (i % 2) socket.resetAndDestroy();
    else socket.destroy();
  }
  await stillHealthy();
});

contractTest('HTTP/2 connections cut off anywhere do no harm', async () => {
  const settings = '\0\0\0\x04\0\0\0\0\0';
  // HEADERS without END_HEADERS, to be continued and never is; DATA on a stream that is not open; noise.
  const frames = ['\0\0\x01\x01\0\0\0\0\x01\x82', '\0\0\x01\0\0\0\0\0\x05x', '\xff'.repeat(30)];
  for (const frame of frames) {
    const socket = await open();
    const bytes = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}${frame}`;
    await new Promise((resolve) => socket.write(bytes, 'latin1', () => resolve(undefined)));
    await Bun.sleep(20);
    socket.resetAndDestroy();
  }
  await stillHealthy();
});

contractTest('200 connections that say nothing do not keep others out', async () => {
  const silent = await Promise.all(Array.from({ length: 200 }, open));
  await stillHealthy();
  for (const socket of silent) socket.destroy();
});

contractTest('gRPC-web text, as the classic browser client frames it', async () => {
  const message = toBinary(
    ExecuteRequestSchema,
    create(ExecuteRequestSchema, { datas: [smallPicture(1)] }),
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const reply = await fetch(`${operator().url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: {
      'content-type': 'application/grpc-web-text',
      accept: 'application/grpc-web-text',
      'x-grpc-web': '1',
      'x-user-agent': 'grpc-web-javascript/0.1',
      origin: 'https://page.example',
    },
    body: Buffer.concat([head, message]).toString('base64'),
  });
  expect(reply.headers.get('access-control-allow-origin')).toBe('*');
  expect(reply.headers.get('content-type')).toStartWith('application/grpc-web-text');
  const bytes = Buffer.from(await reply.text(), 'base64');
  const answer = fromBinary(ExecuteReplySchema, bytes.subarray(5, 5 + bytes.readUInt32BE(1)));
  expect(norm(answer.vectors[0]?.element ?? [])).toBeCloseTo(1, 5);
});

contractTest(
  'h2load, many streams on few connections',
  async () => {
    const url = `${operator().url}/readyz`;
    const command = ['h2load', '-n', '2000', '-c', '8', '-m', '50', '-p', 'h2c', url];
    expect(await output(command)).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout');
  },
  noProgram('h2load'),
);

contractTest(
  'nghttp, reads our settings and our answer',
  async () => {
    const frames = await output(['nghttp', '-v', '--no-dep', `${operator().url}/readyz`]);
    expect(frames).toContain('SETTINGS_MAX_CONCURRENT_STREAMS(0x03):100');
    expect(frames).toMatch(/:status: 200/);
    expect(frames).toContain('"state":"ready"');
  },
  noProgram('nghttp'),
);
