/** Each option of the command line arrives where it is meant to, in a real embedder with a network of its own. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import type { Embedder } from '../../src/embedder/embedder.ts';
import type { EmbedderOptions } from '../../src/embedder/embedder-options.ts';
import { openEmbedder } from '../../src/embedder/open.ts';
import { redirect, serve } from '../source/loopback-server.ts';
import { embedderOptions } from '../support/embedder-options.ts';
import { tinyTestModel } from '../support/models.ts';
import { texturePng } from '../support/pictures.ts';

const never = new AbortController().signal;
const picture = Buffer.from(texturePng({ width: 40, height: 30, seed: 1 })).toString('base64');
const common: EmbedderOptions = { ...embedderOptions, model: tinyTestModel(), threads: 1 };

async function refusalOf(embedder: Embedder, request: { datas?: string[]; urls?: string[] }) {
  const outcome = embedder.embed({ datas: [], urls: [], ...request }, never);
  return await outcome.then(
    () => ({ code: 'none', message: '' }),
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  );
}

let fetching: Embedder;
beforeAll(async () => {
  fetching = await openEmbedder(
    {
      ...common,
      ...{ urlFetch: 'on', urlAllow: ['127.0.0.1'], urlMaxRedirects: 1, maxImageBytes: 50_000 },
      ...{ urlConnectTimeout: 600, urlFirstByteTimeout: 900, urlTimeout: 1300 },
    },
    () => {},
  );
});
afterAll(() => fetching?.close());

test.each<[Partial<EmbedderOptions>, string, string]>([
  [{ maxBytesInFlight: 1000 }, 'MESSAGE_TOO_LARGE', 'may: 1000 (--max-bytes-in-flight)'],
  [{ maxDecodedBytes: 1000 }, 'IMAGE_TOO_LARGE', 'at most 1000 are allowed (--max-decoded-bytes)'],
  [{ maxImageBytes: 1000 }, 'IMAGE_TOO_LARGE', '1000'],
  [{ maxImagePixels: 1199 }, 'IMAGE_TOO_LARGE', 'at most 1199 are allowed (--max-image-pixels)'],
])('openEmbedder, %j', async (limits, code, words) => {
  const embedder = await openEmbedder({ ...common, ...limits }, () => {});
  const refusal = await refusalOf(embedder, { datas: [picture] });
  await embedder.close();
  expect(refusal).toEqual({ code, message: expect.stringContaining(words) });
});

test('openEmbedder, a request that is alone is not refused for the others of its own images', async () => {
  const embedder = await openEmbedder({ ...common, maxQueue: 1 }, () => {});
  const { vectors } = await embedder.embed({ datas: Array(20).fill(picture), urls: [] }, never);
  await embedder.close();
  expect(vectors).toHaveLength(20);
});

test('openEmbedder, urlFetch off', async () => {
  const embedder = await openEmbedder({ ...common, urlAllow: ['127.0.0.1'] }, () => {});
  using server = await serve(() => {});
  expect((await refusalOf(embedder, { urls: [server.origin] })).code).toBe('URL_FETCH_OFF');
  await embedder.close();
  expect(server.accepted).toBe(0);
});

test('openEmbedder, the limits of fetching', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as { port: number };
  using quiet = await serve(() => {});
  using slow = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  using turning = await serve((socket) => socket.end(redirect('/again')));
  using large = await serve((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50001\r\n\r\n'),
  );
  const said: [string, string][] = [
    [`https://127.0.0.1:${port}/`, 'no connection to 127.0.0.1 within 600 ms'],
    [quiet.origin, '127.0.0.1 did not answer within 900 ms (--url-first-byte-timeout)'],
    [slow.origin, '127.0.0.1 took longer than 1300 ms (--url-timeout)'],
    [turning.origin, '127.0.0.1 redirects more than 1 times (--url-max-redirects)'],
    [large.origin, 'the file at the URL has more than 50000 bytes (--max-image-bytes)'],
  ];
  const refusals = await Promise.all(said.map(([url]) => refusalOf(fetching, { urls: [url] })));
  silent.close();
  for (const [i, [, words]] of said.entries()) expect(refusals[i]?.message).toStartWith(words);
});
