/** What browsers need: CORS, and routes beside the calls. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createFakeEmbedder } from '../support/fake-embedder.ts';
import { startServer, type TestServer } from './start-server.ts';

const page = 'https://page.example';
let open: TestServer;
let closed: TestServer;
beforeAll(async () => {
  open = await startServer();
  closed = await startServer({ config: { corsOrigin: [page] } });
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

const preflight = (url: string, origin: string): Promise<Response> =>
  fetch(`${url}/omnisearch.Operator/Execute`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-grpc-web',
    },
  });

test('CORS, a preflight from anywhere is granted by default', async () => {
  const reply = await preflight(open.url, page);
  expect(reply.status).toBe(204);
  expect(reply.headers.get('access-control-allow-origin')).toBe('*');
  expect(reply.headers.get('access-control-allow-methods')).toContain('POST');
  const allowed = reply.headers.get('access-control-allow-headers')?.toLowerCase();
  for (const name of [
    'content-type',
    'x-grpc-web',
    'x-user-agent',
    'grpc-timeout',
    'connect-protocol-version',
  ])
    expect(allowed).toContain(name);
});

test('CORS, a reply shows the page its status, details and our headers', async () => {
  const reply = await fetch(`${open.url}/omnisearch.Operator/Healthy`, {
    method: 'POST',
    headers: { origin: page, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(reply.headers.get('access-control-allow-origin')).toBe('*');
  const exposed = reply.headers.get('access-control-expose-headers')?.toLowerCase();
  for (const name of [
    'grpc-status',
    'grpc-message',
    'grpc-status-details-bin',
    'x-model-id',
    'server-timing',
  ])
    expect(exposed).toContain(name);
});

test('CORS, with --cors-origin only the listed ones are granted', async () => {
  const granted = await preflight(closed.url, page);
  expect(granted.headers.get('access-control-allow-origin')).toBe(page);
  expect(granted.headers.get('vary')).toContain('Origin');
  const refused = await preflight(closed.url, 'https://other.example');
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
});

test('routes, GET, HEAD, another method, another path', async () => {
  const got = await fetch(`${open.url}/healthz`);
  const text = await got.text();
  expect(text).toContain('"status":"alive"');
  const head = await fetch(`${open.url}/healthz`, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(String(text.length));
  expect(await head.text()).toBe('');
  const posted = await fetch(open.url, { method: 'POST' });
  expect(posted.status).toBe(405);
  expect(posted.headers.get('allow')).toBe('GET');
  for (const path of ['/other', '/healthz/', '/constructor', '/__proto__'])
    expect((await fetch(open.url + path)).status).toBe(404);
});

test('routes, one that throws is a 500 with the cause in the log only', async () => {
  const embedder = createFakeEmbedder();
  Object.defineProperty(embedder, 'info', {
    get() {
      throw new Error('made up');
    },
  });
  await using broken = await startServer({ opening: Promise.resolve(embedder) });
  const reply = await fetch(`${broken.url}/info`);
  expect(reply.status).toBe(500);
  expect(await reply.json()).toEqual({ error: 'internal error' });
  const line = await broken.logged((l) => l.msg === 'a route failed');
  expect(line.err).toMatchObject({ message: 'made up' });
});

test('CORS, a file of the page varies by origin as well as by packing', async () => {
  const reply = await fetch(`${closed.url}/page.css`, { headers: { origin: page } });
  expect(reply.headers.get('access-control-allow-origin')).toBe(page);
  expect(reply.headers.get('vary')).toBe('Origin, Accept-Encoding');
});
