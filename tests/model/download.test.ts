import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CachedDownloadOptions,
  cachedDownload,
} from '../../model/download/cached-download.ts';
import { fetchToFile, withoutSecrets } from '../../model/download/fetch-file.ts';
import { withFileLock } from '../../model/download/file-lock.ts';
import { createLines } from '../../model/download/progress.ts';
import { DownloadError } from '../../model/errors.ts';
import { defaultCacheDir } from '../../src/cache-dir.ts';
import { eventually } from '../support/eventually.ts';
import { testFolder } from '../support/test-folder.ts';
import { type Loopback, serveLoopback } from './support/loopback.ts';

const content = Buffer.alloc(300_000);
for (let i = 0; i < content.length; i++) content[i] = (i * 7919) % 251;
const sha256 = createHash('sha256').update(content).digest('hex');
const md5 = createHash('md5').update(content).digest('hex');

let server: Loopback;
let cacheDir: string;
beforeAll(async () => {
  server = await serveLoopback({
    '/file': (response) =>
      response.writeHead(200, { 'content-length': content.length }).end(content),
    '/chunked': (response) => {
      response.write(content.subarray(0, 1000));
      response.end(content.subarray(1000));
    },
    '/redirect': (response) => response.writeHead(302, { location: '/file?token=x' }).end(),
    '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
    '/silent': () => {},
    '/stalls': (response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 100_000));
    },
    '/trickles': (response) => {
      response.writeHead(200, { 'content-length': content.length });
      let at = 0;
      const timer = setInterval(() => response.write(content.subarray(at, ++at)), 20);
      response.on('close', () => clearInterval(timer));
    },
    '/cut': (response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 100_000), () => response.destroy());
    },
    '/cut-chunked': (response) => {
      response.write(content.subarray(0, 100_000), () => response.destroy());
    },
    '/slow': (response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 150_000));
      setTimeout(() => response.end(content.subarray(150_000)), 300);
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  cacheDir = testFolder('cache');
  server.requests.length = 0;
});

const limits = { connectMs: 1000, stallMs: 1000 };
const options = (path: string, more: Partial<CachedDownloadOptions> = {}) => ({
  url: `${server.url}${path}`,
  cacheDir,
  expected: {},
  offline: false,
  limits,
  log: () => {},
  ...more,
});

/** What the cache holds, locks aside. */
const kept = () => {
  const folder = join(cacheDir, 'downloads');
  return readdirSync(folder).filter((name) => !name.endsWith('.lock'));
};

describe('fetchToFile', () => {
  const fetched = (path: string, more = {}) =>
    fetchToFile({ url: `${server.url}${path}`, path: join(cacheDir, 'out'), limits, ...more });

  for (const path of ['/file', '/chunked', '/redirect', '/slow'])
    test(`fetchToFile, ${path} arrives whole`, async () => {
      expect(await fetched(path)).toEqual({ bytes: content.length, sha256, md5 });
      expect(readFileSync(join(cacheDir, 'out')).equals(content)).toBe(true);
    });

  const failures: Record<string, [string, RegExp]> = {
    'an absent file': ['/absent', /the server answers 404/],
    'no answer': ['/silent', /no answer within 1 s/],
    'a stall': ['/stalls', /the download stalled for 1 s/],
    'a trickle': ['/trickles', /the download stalled for 1 s/],
    'a cut connection': ['/cut', /:\/\/127\.0\.0\.1:\d+\/cut: /],
    'a cut chunked answer': ['/cut-chunked', /\/cut-chunked: /],
    'redirects in a circle': ['/loop', /\/loop: /],
  };
  for (const [what, [path, message]] of Object.entries(failures))
    test(`fetchToFile, ${what}`, async () => {
      const start = performance.now();
      const failure = fetched(path);
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toBeInstanceOf(DownloadError);
      expect(performance.now() - start).toBeLessThan(5000);
    });

  test('fetchToFile, nobody listens', async () => {
    const url = 'http://127.0.0.1:1/file';
    const failure = fetchToFile({ url, path: join(cacheDir, 'out'), limits });
    await expect(failure).rejects.toBeInstanceOf(DownloadError);
  });

  test('fetchToFile, a total limit', async () => {
    const failure = fetched('/slow', { limits: { totalMs: 100 } });
    await expect(failure).rejects.toThrow(/not complete within 0\.1 s/);
  });

  test('fetchToFile, another length than expected ends before the data', async () => {
    const failure = fetched('/stalls', { expectedBytes: 5, limits: {} });
    await expect(failure).rejects.toThrow(/offers 300000 bytes, not 5/);
  });

  test('fetchToFile, an abort keeps its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => controller.abort(reason), 50);
    await expect(fetched('/stalls', { signal: controller.signal, limits: {} })).rejects.toBe(
      reason,
    );
  });

  test('withoutSecrets, drops user, password and query', () => {
    expect(withoutSecrets('https://me:pw@host:8/a/b.h5?token=1#x')).toBe('https://host:8/a/b.h5');
  });
});

describe('cachedDownload', () => {
  test('cachedDownload, never the same download twice', async () => {
    const first = await cachedDownload(options('/file', { expected: { md5, sha256 } }));
    const again = await cachedDownload(options('/file'));
    expect(again).toBe(first);
    expect(server.requests).toEqual(['/file']);
    expect(readFileSync(first).equals(content)).toBe(true);
    expect(kept()).toHaveLength(2);
  });

  test('cachedDownload, two at once make one request', async () => {
    const lines: string[] = [];
    const both = [1, 2].map(() =>
      cachedDownload(options('/slow', { log: (line) => lines.push(line) })),
    );
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second!);
    expect(server.requests).toEqual(['/slow']);
    expect(lines).toContain('another process is downloading the same file; waiting for it');
  });

  test('cachedDownload, two processes at once make one request', async () => {
    const script = `
      import { cachedDownload } from ${JSON.stringify(join(import.meta.dir, '../../model/download/cached-download.ts'))};
      console.log(await cachedDownload({ url: '${server.url}/slow', cacheDir: ${JSON.stringify(cacheDir)},
        expected: {}, offline: false, log: () => {} }));`;
    const run = async () => {
      const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' });
      return (await new Response(child.stdout).text()).trim();
    };
    const [first, second] = await Promise.all([run(), run()]);
    expect(first).toContain(cacheDir);
    expect(second).toBe(first!);
    expect(server.requests).toEqual(['/slow']);
  });

  test('cachedDownload, a wrong checksum leaves nothing', async () => {
    const wrong = { sha256: sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
    await expect(cachedDownload(options('/file', { expected: wrong }))).rejects.toThrow(
      /\/file: not the expected file: sha256 [0-9a-f]{64} instead of/,
    );
    await expect(
      cachedDownload(options('/file', { expected: { md5: '0'.repeat(32) } })),
    ).rejects.toThrow(/md5/);
    expect(kept()).toEqual([]);
  });

  test('cachedDownload, a file that the check refuses is not kept', async () => {
    const check = () => {
      throw new Error('a login page');
    };
    const failure = cachedDownload(options('/file', { check }));
    await expect(failure).rejects.toThrow(/\/file: a login page/);
    expect(kept()).toEqual([]);
  });

  test('cachedDownload, a cut connection leaves nothing and the next attempt succeeds', async () => {
    await expect(cachedDownload(options('/cut'))).rejects.toBeInstanceOf(DownloadError);
    expect(kept()).toEqual([]);
    await cachedDownload(options('/file'));
    expect(kept()).toHaveLength(2);
  });

  test('cachedDownload, a file damaged in the cache is fetched again', async () => {
    const path = await cachedDownload(options('/file'));
    const damaged = Buffer.from(content);
    damaged[1234]! ^= 1;
    writeFileSync(path, damaged);
    const lines: string[] = [];
    await cachedDownload(options('/file', { log: (line) => lines.push(line) }));
    expect(lines[0]).toContain('it changed since its download');
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  test('cachedDownload, offline takes the cached file or says where it is not', async () => {
    await expect(cachedDownload(options('/file', { offline: true }))).rejects.toThrow(
      /offline, and .*\/file is not in the cache .*--weights FILE/,
    );
    expect(readdirSync(cacheDir)).toEqual([]);
    const path = await cachedDownload(options('/file'));
    expect(await cachedDownload(options('/file', { offline: true }))).toBe(path);
    expect(server.requests).toEqual(['/file']);
  });

  test('cachedDownload, addresses with one name do not share a file', async () => {
    const paths = await Promise.all(
      ['/file?v=1', '/file?v=2'].map((path) => cachedDownload(options(path))),
    );
    expect(paths[0]).not.toBe(paths[1]!);
  });

  test('cachedDownload, a cache folder that cannot be made', async () => {
    const file = join(cacheDir, 'file');
    writeFileSync(file, '');
    await expect(cachedDownload(options('/file', { cacheDir: file }))).rejects.toThrow(
      /the cache folder .*file \(--cache-dir and .* that is a file and no folder/,
    );
  });
});

describe('withFileLock', () => {
  test('withFileLock, a killed process lets go', async () => {
    const path = join(cacheDir, 'lock');
    const script = `
      import { withFileLock } from ${JSON.stringify(join(import.meta.dir, '../../model/download/file-lock.ts'))};
      await withFileLock(${JSON.stringify(path)}, async () => { console.log('held'); await Bun.sleep(60_000); });`;
    const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' });
    await child.stdout.getReader().read();
    let waited = false;
    const got = withFileLock(path, async () => 'mine', { onWait: () => (waited = true) });
    await eventually(() => waited);
    child.kill('SIGKILL');
    expect(await got).toBe('mine');
  });

  test('withFileLock, a waiter can be aborted', async () => {
    const path = join(cacheDir, 'lock');
    const held = Promise.withResolvers<void>();
    const first = withFileLock(path, () => held.promise);
    const waiter = withFileLock(path, async () => {}, { signal: AbortSignal.timeout(50) });
    await expect(waiter).rejects.toThrow();
    held.resolve();
    await first;
  });
});

test('createLines, a line for every tenth', () => {
  const lines: string[] = [];
  const progress = createLines((line) => lines.push(line));
  progress.start(50e6);
  for (let received = 0; received <= 50e6; received += 1e6) progress.update(received);
  progress.stop();
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe('downloaded 5.0 MB of 50.0 MB (10 %)');
  expect(lines.at(-1)).toBe('downloaded 50.0 MB of 50.0 MB (100 %)');
});

test('createLines, without a total a line for every 10 MB', () => {
  const lines: string[] = [];
  const progress = createLines((line) => lines.push(line));
  progress.start(undefined);
  for (let received = 0; received <= 25e6; received += 1e6) progress.update(received);
  expect(lines).toEqual(['downloaded 10.0 MB', 'downloaded 20.0 MB']);
});

test('defaultCacheDir, XDG_CACHE_HOME where it is absolute', () => {
  expect(defaultCacheDir({ XDG_CACHE_HOME: '/c' })).toBe('/c/resnet50-encoder');
  for (const env of [{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'relative' }])
    expect(defaultCacheDir(env)).toMatch(/\/\.cache\/resnet50-encoder$/);
});
