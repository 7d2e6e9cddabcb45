import { afterAll, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { detectVersion } from '../../src/phantoscope/detect-version.ts';
import { printable } from '../../src/phantoscope/failure.ts';
import { findOperator } from '../../src/phantoscope/operator-record.ts';
import { createRest, type Rest } from '../../src/phantoscope/rest.ts';

const signal = new AbortController().signal;
const closers: (() => unknown)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

/** A client of a server that answers everything in one way. */
function serving(answer: (request: Request) => Response | Promise<Response>): Rest {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: answer });
  closers.push(() => server.stop(true));
  return createRest({ url: `http://127.0.0.1:${server.port}`, signal, timeoutMs: 300 });
}

const json = (body: unknown, status = 200): Response => Response.json(body, { status });

test('printable, markup and terminal escapes are gone and the length is bounded', () => {
  expect(printable('<style>a{}</style><h1>502 Bad\nGateway</h1>\u001b[31m!\u009b2J')).toBe(
    '502 Bad Gateway [31m! 2J',
  );
  expect(printable('x'.repeat(1000), 10)).toBe(`${'x'.repeat(10)}…`);
});

test('rest, a server that never answers ends at the time limit', async () => {
  const rest = serving(() => new Promise<Response>(() => {}));
  const start = performance.now();
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('no complete answer within 0.3 s'),
  });
  expect(performance.now() - start).toBeLessThan(2000);
});

test('rest, a body that trickles for ever ends at the time limit', async () => {
  const rest = serving(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await Bun.sleep(20);
            controller.enqueue(new TextEncoder().encode(' '));
          },
        }),
      ),
  );
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({ kind: 'unreachable' });
});

test('rest, a body without end is cut at the size limit', async () => {
  const chunk = new Uint8Array(256 * 1024).fill(32);
  let sent = 0;
  const rest = serving(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      ),
  );
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({
    kind: 'not-phantoscope',
    message: expect.stringContaining('more than 1048576 bytes'),
  });
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test('rest, only what has a body says that it is JSON', async () => {
  const seen: (string | null)[] = [];
  const rest = serving((request) => {
    seen.push(request.headers.get('content-type'));
    return json({});
  });
  await rest.call({ method: 'POST', path: '/v1/operator/a/instances/b' });
  await rest.call({ method: 'POST', path: '/v1/operator/regist', body: { name: 'a' } });
  expect(seen).toEqual([null, 'application/json']);
});

test('rest, nobody there', async () => {
  const rest = createRest({ url: 'http://127.0.0.1:1', signal });
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringMatching(/nothing listens there; is Phantoscope's API server running/),
  });
});

test('rest, a connection that is closed at once and one that speaks another protocol', async () => {
  for (const greeting of ['', 'SSH-2.0-OpenSSH_9.2\r\n']) {
    const server = createServer((socket) => socket.end(greeting)).listen(0, '127.0.0.1');
    closers.push(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const rest = createRest({ url: `http://127.0.0.1:${port}`, signal, timeoutMs: 1000 });
    await expect(findOperator(rest, 'a')).rejects.toMatchObject({ kind: 'unreachable' });
  }
});

test('rest, a redirect is told and not followed', async () => {
  const rest = serving(() => Response.redirect('https://login.example/', 302));
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({
    kind: 'not-phantoscope',
    message: expect.stringContaining('redirects to https://login.example/'),
  });
});

test('rest, the caller can abort', async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) });
  closers.push(() => server.stop(true));
  const abort = new AbortController();
  const rest = createRest({ url: `http://127.0.0.1:${server.port}`, signal: abort.signal });
  const call = findOperator(rest, 'a');
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
});

test('findOperator, an HTML error page is shown as its words', async () => {
  const rest = serving(
    () => new Response('<html><h1>502 Bad Gateway</h1><hr>nginx</html>', { status: 502 }),
  );
  await expect(findOperator(rest, 'a')).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('status 502, "502 Bad Gateway nginx"'),
  });
});

test.each([
  ['HTML with status 200', () => new Response('<h1>Welcome to nginx</h1>')],
  ['an HTML 404', () => new Response('<h1>Not Found</h1>', { status: 404 })],
  ['a list', () => json([])],
  ['another record', () => json({ name: 'other' })],
  ['a number', () => json(7)],
  ['an empty body', () => new Response('')],
])('findOperator, %s is not Phantoscope', async (_, answer) => {
  await expect(findOperator(serving(answer), 'a')).rejects.toMatchObject({
    kind: 'not-phantoscope',
  });
});

test('findOperator, reads the fields of both versions and takes 404 for nothing', async () => {
  expect(
    await findOperator(
      serving(() => json({ _name: 'a' })),
      'a',
    ),
  ).toEqual({ _name: 'a' });
  expect(
    await findOperator(
      serving(() => json({ name: 'a' })),
      'a',
    ),
  ).toEqual({ name: 'a' });
  const missing = { message: 'operator a not exist', error: 'NotExistError' };
  expect(
    await findOperator(
      serving(() => json(missing, 404)),
      'a',
    ),
  ).toBeUndefined();
});

test('findOperator, a name that MySQL finds in another case is a find', async () => {
  expect(
    await findOperator(
      serving(() => json({ _name: 'ResNet' })),
      'resnet',
    ),
  ).toBeDefined();
});

test('detectVersion, by what OPTIONS allows', async () => {
  const allowing = (allow: string): Rest => serving(() => new Response('', { headers: { allow } }));
  expect(await detectVersion(allowing('DELETE, HEAD, GET, OPTIONS'))).toBe('v0.1');
  expect(await detectVersion(allowing('DELETE, POST, HEAD, GET, OPTIONS'))).toBe('v0.2');
});

test('detectVersion, by the records where a proxy answers OPTIONS', async () => {
  const listing = (records: unknown[]): Rest =>
    serving(({ method }) => (method === 'OPTIONS' ? new Response('') : json(records)));
  expect(await detectVersion(listing([{ _name: 'x', _endpoint: '10.0.0.1:5' }]))).toBe('v0.1');
  expect(await detectVersion(listing([{ name: 'x', addr: 'a/b:1' }]))).toBe('v0.2');
  await expect(detectVersion(listing([]))).rejects.toThrow('give --api');
});

test('detectVersion, a web server that is not Phantoscope', async () => {
  const rest = serving(() => new Response('<h1>It works!</h1>', { headers: { allow: 'GET' } }));
  await expect(detectVersion(rest)).rejects.toMatchObject({ kind: 'not-phantoscope' });
});
