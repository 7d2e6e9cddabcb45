import { expect, test } from 'bun:test';
import { fetcher, names, response, serve } from './loopback-server.ts';

test('fetch, 200 URLs of one request come in order and never more than the slots at a time', async () => {
  let open = 0;
  let most = 0;
  using server = await serve((socket, head) => {
    open += 1;
    most = Math.max(most, open);
    const name = head.slice('GET /'.length, head.indexOf(' HTTP'));
    // The later ones answer sooner, so that only the caller's order can put them right.
    setTimeout(
      () => {
        open -= 1;
        socket.end(response(name));
      },
      5 + ((200 - Number(name)) % 20),
    );
  });
  const { signal } = new AbortController();
  const fetch = fetcher({ concurrency: 8 });
  const urls = Array.from({ length: 200 }, (_, index) => `${server.origin}/${index}`);
  const files = await Promise.all(urls.map((url) => fetch(url, signal)));
  expect(files.map((file) => new TextDecoder().decode(file))).toEqual(urls.map((_, i) => `${i}`));
  expect(most).toBe(8);
  expect(server.accepted).toBe(200);
});

test('fetch, a request with many slow URLs does not make another wait for all of them', async () => {
  using slow = await serve((socket) => {
    setTimeout(() => socket.end(response('slow')), 100);
  });
  using quick = await serve((socket) => socket.end(response('quick')));
  const fetch = fetcher({ concurrency: 2 });
  const greedy = new AbortController().signal;
  const all = Promise.all(Array.from({ length: 20 }, () => fetch(slow.origin, greedy)));
  await Bun.sleep(20);
  const start = performance.now();
  await fetch(quick.origin, new AbortController().signal);
  expect(performance.now() - start).toBeLessThan(400); // the greedy request takes a second
  await all;
});

test('fetch, a failure gives its slot back, and so does a cancellation', async () => {
  using server = await serve((socket, head) => {
    if (head.startsWith('GET /good ')) socket.end(response('x'));
    else if (head.startsWith('GET /bad ')) socket.end();
  });
  const fetch = fetcher({ concurrency: 1 });
  for (const url of ['http://10.0.0.1/', `${server.origin}/bad`, 'http://nowhere.invalid/']) {
    await expect(fetch(url)).rejects.toThrow();
    expect(await fetch(`${server.origin}/good`)).toHaveLength(1);
  }
  const holding = new AbortController();
  const held = fetch(`${server.origin}/silent`, holding.signal);
  const waiting = new AbortController();
  const waited = fetch(`${server.origin}/good`, waiting.signal);
  waiting.abort();
  await expect(waited).rejects.toMatchObject({ code: 'CANCELLED' });
  holding.abort();
  await expect(held).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await fetch(`${server.origin}/good`)).toHaveLength(1);
});

test('fetch, waiting for a slot does not count as time of the URL', async () => {
  using server = await serve((socket) => {
    setTimeout(() => socket.end(response('x')), 150);
  });
  const fetch = fetcher({ concurrency: 1, timeoutMs: 300 });
  const { signal } = new AbortController();
  const files = await Promise.all([1, 2, 3, 4].map(() => fetch(server.origin, signal)));
  expect(files).toHaveLength(4);
});

test('fetch, switched off it refuses every URL and looks nothing up', async () => {
  const { resolve, asked } = names({ 'img.test': ['9.9.9.9'] });
  const fetch = fetcher({ enabled: false, resolve });
  for (const url of ['http://img.test/', 'nonsense', 'http://127.0.0.1/']) {
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'URL_FETCH_OFF',
      message: 'URLs are not fetched here (--url-fetch off)',
    });
  }
  expect(asked).toEqual([]);
});
