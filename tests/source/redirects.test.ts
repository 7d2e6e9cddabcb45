import { describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { fetcher, names, redirect, response, serve } from './loopback-server.ts';

/** `/n` redirects to `/n-1`; `/0` is the file. */
const countdown = () =>
  serve((socket, head) => {
    const left = Number(head.slice('GET /'.length, head.indexOf(' HTTP')));
    socket.end(left === 0 ? response('file') : redirect(`/${left - 1}`));
  });

test('fetch, three redirects are followed and a fourth is not', async () => {
  using server = await countdown();
  const fetch = fetcher();
  expect(await fetch(`${server.origin}/3`)).toHaveLength(4);
  expect(server.requests).toHaveLength(4);
  await expect(fetch(`${server.origin}/4`)).rejects.toMatchObject({
    code: 'URL_BAD_RESPONSE',
    message: '127.0.0.1 redirects more than 3 times (--url-max-redirects)',
  });
  expect(server.requests).toHaveLength(8);
});

test('fetch, with maxRedirects 0 none is followed', async () => {
  using server = await countdown();
  await expect(fetcher({ maxRedirects: 0 })(`${server.origin}/1`)).rejects.toMatchObject({
    code: 'URL_BAD_RESPONSE',
  });
  expect(server.requests).toHaveLength(1);
});

test.each([301, 302, 303, 307, 308])('fetch, status %d redirects', async (status) => {
  using server = await serve((socket, head) =>
    socket.end(head.startsWith('GET /to?q=1 ') ? response('there') : redirect('to?q=1', status)),
  );
  expect(await fetcher()(`${server.origin}/from`)).toHaveLength(5);
});

describe('fetch, a redirect is judged as a URL of the client is', () => {
  test.each([
    ['http://10.0.0.1/'],
    ['http://169.254.169.254/latest/meta-data/'],
    ['//169.254.169.254/latest/meta-data/'],
    ['http://0x7f.2/'],
    ['http://[::1]/'],
    ['http://[::ffff:10.0.0.1]/'],
    ['http://inside.test/'],
    ['http://user:secret@127.0.0.1/'],
    ['file:///etc/passwd'],
    ['gopher://127.0.0.1/'],
    ['data:image/png;base64,AAAA'],
    ['http://127.0.0.2/'],
    ['http://public.test:22/'],
    ['http://['],
    [`http://example.com/${'a'.repeat(8200)}`],
  ])('%s', async (location) => {
    const { resolve } = names({ 'inside.test': ['10.0.0.1'], 'public.test': ['9.9.9.9'] });
    using server = await serve((socket) => socket.end(redirect(location)));
    await expect(fetcher({ resolve })(`${server.origin}/`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
    });
    expect(server.requests).toHaveLength(1);
  });
});

test('fetch, every hop is looked up anew, so a name may not turn private between hops', async () => {
  using server = await serve((socket) => socket.end(redirect('/again')));
  let lookups = 0;
  const resolve = async () => [lookups++ === 0 ? '127.0.0.1' : '10.0.0.1'];
  const fetch = fetcher({ resolve });
  await expect(fetch(`http://turn.test:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_FORBIDDEN',
  });
  expect(lookups).toBe(2);
});

test('fetch, a redirect without Location is a bad response', async () => {
  using server = await serve((socket) => socket.end('HTTP/1.1 302 Found\r\n\r\n'));
  await expect(fetcher()(server.origin)).rejects.toMatchObject({ code: 'URL_BAD_RESPONSE' });
});

test('fetch, the body of a redirect is not read and its connection is closed', async () => {
  using server = await serve((socket, head) => {
    if (head.startsWith('GET /to ')) socket.end(response('there'));
    else
      socket.write('HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Length: 1000000000\r\n\r\nxx');
  });
  expect(await fetcher()(server.origin)).toHaveLength(5);
  await eventually(() => server.connections.size === 0);
});

describe('fetch, a status other than 200', () => {
  test.each([
    [204, 'URL_BAD_RESPONSE'],
    [206, 'URL_BAD_RESPONSE'],
    [304, 'URL_BAD_RESPONSE'],
    [401, 'URL_BAD_RESPONSE'],
    [404, 'URL_BAD_RESPONSE'],
    [429, 'URL_UNREACHABLE'],
    [500, 'URL_UNREACHABLE'],
    [503, 'URL_UNREACHABLE'],
  ])('%d is %s, and the body is not told', async (status, code) => {
    using server = await serve((socket) =>
      socket.end(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 6\r\n\r\nsecret`),
    );
    await expect(fetcher()(server.origin)).rejects.toMatchObject({
      code,
      message: `127.0.0.1 answered with status ${status}, not 200`,
    });
  });
});
