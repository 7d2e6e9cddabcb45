/** What the page's files are and how they are served. */
import { expect, test } from 'bun:test';
import { pageFiles } from '../../src/page/page-files.ts';
import { pageRoutes } from '../../src/page/page-routes.ts';

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const route = pageRoutes[path];
  if (!route) throw new Error(`there is no ${path}`);
  return route.GET({ headers: new Headers(headers) });
}

const paths = Object.keys(pageRoutes);
const gzip = { 'accept-encoding': 'gzip, deflate, br' };
const plain = async (path: string): Promise<string> => (await get(path)).text();

test('page.js, at most 100 kB compressed', async () => {
  const size = (await (await get('/page.js', gzip)).arrayBuffer()).byteLength;
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThanOrEqual(100_000);
});

test('every file of the page, compressed and plain are the same', async () => {
  for (const path of paths) {
    const compressed = await get(path, gzip);
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    const unpacked = Bun.gunzipSync(new Uint8Array(await compressed.arrayBuffer()));
    expect(new TextDecoder().decode(unpacked)).toBe(await plain(path));
  }
});

test.each([
  ['gzip', true],
  ['br, gzip;q=0.5', true],
  ['*', true],
  ['GZIP', true],
  ['', false],
  ['identity', false],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['br', false],
])('page.js, accept-encoding %p is understood', async (accepted, expected) => {
  const reply = await get('/page.js', { 'accept-encoding': accepted });
  expect(reply.headers.get('content-encoding') === 'gzip').toBe(expected);
  expect(reply.headers.get('vary')).toBe('Accept-Encoding');
});

test('every file of the page, an ETag of its own that brings 304', async () => {
  const tags = new Set<string>();
  for (const path of paths)
    for (const headers of [gzip, {} as Record<string, string>]) {
      const etag = (await get(path, headers)).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[0-9a-f]{16}(-gzip)?"$/);
      tags.add(etag);
      for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await get(path, { ...headers, 'if-none-match': given });
        expect(again.status).toBe(304);
        expect(again.headers.get('etag')).toBe(etag);
        expect(await again.text()).toBe('');
      }
      expect((await get(path, { ...headers, 'if-none-match': '"other"' })).status).toBe(200);
    }
  expect(tags.size).toBe(paths.length * 2);
});

test('every file of the page, headers that forbid what the page does not do', async () => {
  for (const path of paths) {
    const { headers } = await get(path);
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' blob: data:",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'none'",
      "base-uri 'none'",
    ])
      expect(policy.split('; ')).toContain(rule);
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-cache');
  }
});

test('page.html, loads only what is served beside it', async () => {
  const html = await plain('/');
  const loaded = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => `/${path}`);
  expect(loaded.length).toBeGreaterThanOrEqual(3);
  expect(loaded.filter((path) => !(path in pageRoutes))).toEqual([]);
  expect(html).not.toMatch(/\sstyle=|\son\w+=|<style|<script>/);
});

test('page.css, loads nothing', async () => {
  expect(await plain('/page.css')).not.toMatch(/url\(|@import|@font-face/);
});

test('pageRoutes, serve every file there is', () => {
  expect(pageFiles.map(({ path }) => path).sort()).toEqual([...paths].sort());
});

test('pageFiles, hashes are of the plain files', async () => {
  for (const { path, hash } of pageFiles) {
    const digest = new Bun.CryptoHasher('sha256').update(await plain(path)).digest('hex');
    expect(digest).toStartWith(hash);
  }
});
