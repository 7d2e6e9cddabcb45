import { afterEach, expect, test } from 'bun:test';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { assertAdvertisable, sameEndpoint } from '../../src/phantoscope/advertised-endpoint.ts';
import { connectOperator, type IdentityAnswer } from '../../src/phantoscope/operator-client.ts';
import { checkOwnEndpoint, type SelfCheck } from '../../src/phantoscope/self-check.ts';
import { failureOf } from './failure-of.ts';
import { type StubOperator, startStubOperator } from './stub-operator.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function operator(): Promise<StubOperator> {
  const stub = await startStubOperator();
  closers.push(() => stub.stop());
  return stub;
}

/** host:port of a server that is no operator. */
async function listening(server: {
  listen(port: number, host: string, then: () => void): unknown;
  close(): unknown;
  address(): AddressInfo | string | null;
}): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function check(text: string, more: Partial<SelfCheck> = {}): Promise<IdentityAnswer> {
  return checkOwnEndpoint({
    endpoint: { host: text.replace(/:\d+$/, ''), port: Number(text.replace(/^.*:/, '')), text },
    apiUrl: 'http://127.0.0.1:5000',
    allowUntrained: false,
    connect: (endpoint, options) => connectOperator(endpoint, { ...options, timeoutMs: 700 }),
    signal: new AbortController().signal,
    ...more,
  });
}

const failing = (words: RegExp): unknown =>
  expect.objectContaining({ kind: 'endpoint', message: expect.stringMatching(words) });

test('checkOwnEndpoint, an operator as it should be', async () => {
  const stub = await operator();
  expect(await check(stub.endpoint)).toEqual({
    identity: stub.identity as never,
    modelId: 'resnet50_encoder-fp32-0123456789abcdef',
    trained: true,
  });
});

test('checkOwnEndpoint, nothing listens there', async () => {
  expect(await failureOf(check('127.0.0.1:1'))).toEqual(
    failing(/nothing listens at 127\.0\.0\.1:1.*port mapped \(docker run -p 1:1\)/),
  );
});

test('checkOwnEndpoint, a name that does not resolve', async () => {
  expect(await failureOf(check('no-such-host.invalid:52001'))).toEqual(failing(/does not resolve/));
});

test('checkOwnEndpoint, a web server', async () => {
  const server = createHttpServer((_, response) => response.writeHead(404).end('<h1>no</h1>'));
  const text = await listening(server);
  expect(await failureOf(check(text))).toEqual(failing(/web server.*status 404.*port right/));
});

test('checkOwnEndpoint, an HTTP/2 server without gRPC', async () => {
  const server = createHttp2Server((_, response) => {
    response.writeHead(404);
    response.end('no');
  });
  expect(await failureOf(check(await listening(server)))).toEqual(
    failing(/no omnisearch\.Operator/),
  );
});

test('checkOwnEndpoint, another service and a port that leads nowhere', async () => {
  const ssh = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  const closing = createServer((socket) => socket.destroy());
  for (const server of [ssh, closing] as Server[]) {
    expect(await failureOf(check(await listening(server)))).toEqual(
      failing(/does not speak gRPC|nothing listens/),
    );
  }
});

test('checkOwnEndpoint, a port that swallows everything', async () => {
  const open = new Set<{ destroy(): void }>();
  const text = await listening(createServer((socket) => void open.add(socket)));
  closers.unshift(() => open.forEach((socket) => void socket.destroy()));
  expect(await failureOf(check(text))).toEqual(failing(/no answer to Identity .* within 0\.7 s/));
});

test('checkOwnEndpoint, an operator that hangs or fails', async () => {
  const stub = await operator();
  stub.identityAnswer = 'hang';
  expect(await failureOf(check(stub.endpoint))).toEqual(failing(/no answer to Identity/));
  stub.identityAnswer = Object.assign(new Error('model is gone'), { code: 13 });
  expect(await failureOf(check(stub.endpoint))).toEqual(failing(/INTERNAL: model is gone/));
});

test('checkOwnEndpoint, an operator that is not ready', async () => {
  const stub = await operator();
  stub.healthy = { healthy: 'starting\u001b[2J' };
  expect(await failureOf(check(stub.endpoint))).toEqual(
    failing(/says of its health "starting \[2J"/),
  );
  stub.healthy = Object.assign(new Error('loading the model'), { code: 14 });
  expect(await failureOf(check(stub.endpoint))).toEqual(failing(/UNAVAILABLE: loading the model/));
});

test('checkOwnEndpoint, an operator that advertises another address', async () => {
  const stub = await operator();
  stub.identity = { ...stub.identity, endpoint: '10.0.0.7:52001' };
  expect(await failureOf(check(stub.endpoint))).toEqual(
    failing(/its endpoint is 10\.0\.0\.7:52001.*OP_ENDPOINT=127.*--endpoint 10\.0\.0\.7:52001/),
  );
});

test('checkOwnEndpoint, an operator started without OP_ENDPOINT is not to be registered as loopback', async () => {
  const stub = await operator();
  stub.identity = { ...stub.identity, endpoint: '127.0.0.1:52001' };
  const text = '192.0.2.2:52001';
  const elsewhere = {
    apiUrl: 'http://192.0.2.9:5000',
    connect: () => connectOperator(stub.endpoint, {}),
  };
  expect(await failureOf(check(text, elsewhere))).toEqual(
    failing(/its endpoint is 127\.0\.0\.1:52001.*OP_ENDPOINT=192\.0\.2\.2:52001$/),
  );
});

test('checkOwnEndpoint, another program, and another model of this one', async () => {
  const stub = await operator();
  const expectModelId = (): string => 'resnet50_encoder-int8-ffffffffffffffff';
  expect(await failureOf(check(stub.endpoint, { expectModelId }))).toEqual(
    failing(/resnet50_encoder-fp32-0123456789abcdef; here it is resnet50_encoder-int8/),
  );
  stub.headers = {};
  stub.identity = { ...stub.identity, name: 'vgg16' };
  expect(await failureOf(check(stub.endpoint))).toEqual(
    failing(/"vgg16" \(encoder\), and not this/),
  );
});

test('checkOwnEndpoint, a caller that gives up', async () => {
  const stub = await operator();
  stub.identityAnswer = 'hang';
  const abort = new AbortController();
  const call = check(stub.endpoint, { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 20);
  expect(await failureOf(call)).toEqual(new Error('enough'));
});

const advertise = (host: string, apiUrl: string): void =>
  assertAdvertisable({ host, port: 52001, text: `${host}:52001` }, apiUrl);

test.each(['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '::1', '[::1]'])(
  'assertAdvertisable, %s is not advertised to another host',
  (host) => {
    expect(() => advertise(host, 'http://192.168.1.10:5000')).toThrow('loopback');
    expect(() => advertise(host, 'http://localhost:5000')).not.toThrow();
    expect(() => advertise(host, 'http://[::1]:5000')).not.toThrow();
  },
);

test.each(['0.0.0.0', '::', '[::]'])('assertAdvertisable, %s is never advertised', (host) => {
  expect(() => advertise(host, 'http://localhost:5000')).toThrow('every address');
});

test('assertAdvertisable, an ordinary address', () => {
  expect(() => advertise('192.168.1.20', 'http://192.168.1.10:5000')).not.toThrow();
  expect(() => advertise('edge-7.lan', 'http://192.168.1.10:5000')).not.toThrow();
});

test('sameEndpoint, spelling does not matter, anything else does', () => {
  expect(sameEndpoint('Edge.lan:52001', 'edge.LAN.:52001')).toBe(true);
  expect(sameEndpoint('[::1]:80', '[0:0:0:0:0:0:0:1]:80')).toBe(true);
  expect(sameEndpoint('10.0.0.1:80', '10.0.0.1:81')).toBe(false);
  expect(sameEndpoint('10.0.0.1:80', '10.0.0.2:80')).toBe(false);
  expect(sameEndpoint(':52001', ':52001')).toBe(true);
  expect(sameEndpoint('', '10.0.0.1:80')).toBe(false);
});
