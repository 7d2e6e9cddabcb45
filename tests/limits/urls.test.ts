/** Many URLs, and servers that are slow: in order, so many at a time, and nobody else waits for them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failureOf } from '../support/call-failure.ts';
import { texturePng } from '../support/pictures.ts';
import {
  buildTimeout,
  type LimitedOperator,
  startLimited,
  toText,
} from './support/limited-operator.ts';

const pictures = Array.from({ length: 8 }, (_, seed) =>
  texturePng({ width: 64, height: 48, seed }),
);
let operator: LimitedOperator;
let server: Server;
let origin: string;
let open = 0;
let mostOpen = 0;

/** `/picture/N` after 20 ms; `/never` does not answer. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const number = /^\/picture\/(\d+)/.exec(request.url ?? '')?.[1];
    if (number === undefined) return;
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    setTimeout(() => {
      open -= 1;
      response.end(pictures[Number(number) % pictures.length]);
    }, 20);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  operator = await startLimited('--url-allow', '127.0.0.1', '--url-first-byte-timeout', '3s');
}, buildTimeout);
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await operator?.[Symbol.asyncDispose]();
});

const urlsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${origin}/picture/${i}`);

test('200 URLs in one request, 16 at a time, in order', async () => {
  const client = operator.client();
  const expected = (await client.execute({ datas: pictures.map(toText) })).vectors;
  expect(new Set(expected.map(({ element }) => element.join())).size).toBe(pictures.length);
  mostOpen = 0;
  const begun = performance.now();
  const { vectors } = await client.execute({ urls: urlsOf(200) });
  const ms = performance.now() - begun;
  expect(vectors.map(({ element }) => element)).toEqual(
    Array.from({ length: 200 }, (_, i) => expected[i % pictures.length]?.element ?? []),
  );
  expect(mostOpen).toBeWithin(8, 17);
  console.log(`200 URLs: ${ms.toFixed(0)} ms, ${mostOpen} at a time`);
}, 30_000);

test('more URLs than a call may have images, refused before any is fetched', async () => {
  mostOpen = 0;
  const error = await failureOf(operator.client().execute({ urls: urlsOf(257) }));
  expect(error.rawMessage).toContain('more than 256 ');
  expect(error.rawMessage).toContain('(--max-images)');
  expect(mostOpen).toBe(0);
});

test('servers that do not answer, hold no thread: images that are sent are done meanwhile', async () => {
  const waiting = Array.from({ length: 3 }, () =>
    failureOf(operator.client().execute({ urls: Array<string>(20).fill(`${origin}/never`) })),
  );
  await Bun.sleep(200);
  const client = operator.client();
  const begun = performance.now();
  for (const picture of pictures) await client.execute({ datas: [toText(picture)] });
  const ms = performance.now() - begun;
  expect(ms).toBeLessThan(2500);
  for (const error of await Promise.all(waiting))
    expect(error.rawMessage).toMatch(
      /^urls\[\d+\]: 127\.0\.0\.1 did not answer within 3 s \(--url-first-byte-timeout\)$/,
    );
  console.log(`8 images while 60 URLs hang: ${ms.toFixed(0)} ms`);
}, 30_000);
