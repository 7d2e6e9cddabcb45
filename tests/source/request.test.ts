import { expect, test } from 'bun:test';
import { fetcher, response, serve, withEnvironment } from './loopback-server.ts';

test('fetch, sends these lines and no others, also with a proxy in the environment and after a cookie', async () => {
  using server = await serve((socket, head) => {
    if (head.startsWith('GET /a')) {
      socket.end('HTTP/1.1 302 Found\r\nSet-Cookie: id=1; Path=/\r\nLocation: /b\r\n\r\n');
    } else socket.end(response('x', ['Set-Cookie: id=2']));
  });
  const proxy = 'http://127.0.0.1:1';
  const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy };
  await withEnvironment({ ...proxies, NODE_USE_ENV_PROXY: '1' }, () =>
    fetcher()(`${server.origin}/a?x=1&y=%20#fragment`),
  );
  const lines = (path: string) => [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    'User-Agent: resnet50-encoder',
    'Accept: image/*, application/octet-stream;q=0.9, */*;q=0.5',
    'Accept-Encoding: identity',
    'Connection: close',
    '',
    '',
  ];
  expect(server.requests.map((head) => head.split('\r\n'))).toEqual([
    lines('/a?x=1&y=%20'),
    lines('/b'),
  ]);
});

test('fetch, line breaks in a URL or in a redirect do not make a header', async () => {
  using server = await serve((socket, head) => {
    if (head.startsWith('GET /b')) socket.end(response('x'));
    else socket.end('HTTP/1.1 302 Found\r\nLocation: /b%0d%0aX-Evil:%201\tX\r\n\r\n');
  });
  await fetcher()(`${server.origin}/a\r\nX-Evil: 1`);
  expect(server.requests).toHaveLength(2);
  for (const head of server.requests) {
    expect(
      head
        .toLowerCase()
        .split('\r\n')
        .filter((line) => line.startsWith('x-evil')),
    ).toEqual([]);
  }
});
