import { expect, test } from 'bun:test';
import { fetcher, names, response, serve } from './loopback-server.ts';

test('fetch, a name that leads into private space is refused and its address is not told', async () => {
  const { resolve } = names({ 'evil.test': ['10.1.2.3'], 'meta.test': ['169.254.169.254'] });
  const fetch = fetcher({ allow: [], resolve });
  for (const host of ['evil.test', 'meta.test']) {
    const error = await fetch(`http://${host}/`).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'URL_FORBIDDEN',
      message: `${host} leads to an address that is not public; --url-allow ${host} lets it through`,
    });
    expect(String((error as Error).cause)).toMatch(/10\.1\.2\.3|169\.254\.169\.254/);
  }
});

test('fetch, a name that changes between two look-ups is looked up once and its first answer connected to', async () => {
  using server = await serve((socket) => socket.end(response('safe')));
  let lookups = 0;
  // First an address that is allowed, then, as in DNS rebinding, one that is not and has a server too.
  const resolve = async () => [lookups++ === 0 ? '127.0.0.2' : '127.0.0.1'];
  const fetch = fetcher({ allow: ['127.0.0.2'], resolve });
  await expect(fetch(`http://rebind.test:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_UNREACHABLE', // nothing listens on 127.0.0.2
  });
  expect(lookups).toBe(1);
  expect(server.accepted).toBe(0);
  await expect(fetch(`http://rebind.test:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_FORBIDDEN',
  });
  expect(server.accepted).toBe(0);
});

test('fetch, of several addresses only the permitted are tried, in order', async () => {
  using server = await serve((socket) => socket.end(response('second')));
  const { resolve, asked } = names({ 'img.test': ['10.0.0.1', '127.0.0.2', '::1', '127.0.0.1'] });
  const fetch = fetcher({ allow: ['127.0.0.0/8'], resolve });
  const bytes = await fetch(`http://img.test:${server.port}/`);
  expect(new TextDecoder().decode(bytes)).toBe('second');
  expect(asked).toEqual(['img.test']);
  expect(server.requests[0]).toContain(`Host: img.test:${server.port}\r\n`);
});

test('fetch, of many addresses no more than four are tried', async () => {
  using server = await serve((socket) => socket.end(response('fifth')));
  const dead = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
  const { resolve } = names({ 'many.test': [...dead, '127.0.0.1'] });
  const fetch = fetcher({ allow: ['127.0.0.0/8'], resolve });
  await expect(fetch(`http://many.test:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_UNREACHABLE',
  });
  expect(server.accepted).toBe(0);
});

test('fetch, what a resolver gives that is not an address is never connected to', async () => {
  const resolve = async () => ['127.1', 'localhost', '0x7f000001', ''];
  for (const allow of [[], ['odd.test'], ['127.0.0.0/8']]) {
    await expect(fetcher({ allow, resolve })('http://odd.test/')).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
    });
  }
});

test('fetch, a dot at the end, case, percent-encoding and full-width letters do not make another name', async () => {
  using server = await serve((socket) => socket.end(response('x')));
  const { resolve, asked } = names({ 'img.test': ['127.0.0.1'] });
  const fetch = fetcher({ allow: ['IMG.test.'], resolve });
  for (const host of [
    'img.test',
    'img.test.',
    'IMG.TEST',
    '%69mg.test',
    'ｉｍｇ.test',
    'img。test',
  ]) {
    await fetch(`http://${host}:${server.port}/`);
  }
  expect(new Set(asked)).toEqual(new Set(['img.test']));
});

test('fetch, a name without an address or that does not resolve is unreachable', async () => {
  const { resolve } = names({ 'empty.test': [] });
  const fetch = fetcher({ resolve });
  await expect(fetch('http://empty.test/')).rejects.toMatchObject({ code: 'URL_UNREACHABLE' });
  await expect(fetch('http://other.test/')).rejects.toMatchObject({
    code: 'URL_UNREACHABLE',
    message: 'the name other.test does not resolve',
  });
});

test('fetch, a host that is allowed by name may lead anywhere, others to the same address may not', async () => {
  using server = await serve((socket) => socket.end(response('minio')));
  const { resolve } = names({ minio: ['127.0.0.1'], other: ['127.0.0.1'] });
  const fetch = fetcher({ allow: [`minio:${server.port}`], resolve });
  expect(await fetch(`http://minio:${server.port}/bucket/a.jpg`)).toHaveLength(5);
  await expect(fetch('http://minio/')).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
  await expect(fetch(`http://other:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_FORBIDDEN',
  });
  await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_FORBIDDEN',
  });
});
