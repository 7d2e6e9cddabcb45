/**
 * The figures of SECURITY.md for fetching by URL: `bun tests/source/measure-attacks.ts`. The attacking server is another
 * process, so that memory and the event loop's delays are the fetcher's own.
 */
import { createUrlFetcher } from '../../src/image/source/url-fetcher.ts';
import { fetcherOptions, fetchWith } from './loopback-server.ts';

const server = Bun.spawn([process.execPath, `${import.meta.dir}/attack-server.ts`], {
  stdout: 'pipe',
});
const { value } = await server.stdout.getReader().read();
const origin = `http://127.0.0.1:${Number(new TextDecoder().decode(value))}`;
const maxImageBytes = 100 * 2 ** 20;
const fetch = fetchWith(createUrlFetcher({ ...fetcherOptions, maxImageBytes }));

interface Figures {
  ms: number;
  /** The longest that anything else on this thread had to wait, milliseconds. */
  lagMs: number;
  /** Rise of the resident memory at its highest, MB. */
  riseMb: number;
}

async function measured(work: () => Promise<void>): Promise<Figures> {
  Bun.gc(true);
  const rss = () => process.memoryUsage.rss() / 1e6;
  const [start, before] = [performance.now(), rss()];
  let [last, lagMs, highest] = [start, 0, before];
  const timer = setInterval(() => {
    const now = performance.now();
    lagMs = Math.max(lagMs, now - last - 2);
    highest = Math.max(highest, rss());
    last = now;
  }, 2);
  await work();
  clearInterval(timer);
  return { ms: performance.now() - start, lagMs, riseMb: highest - before };
}

async function attack(name: string, url: string, times = 1): Promise<void> {
  const said: Record<string, number> = {};
  const one = async (): Promise<void> => {
    const { signal } = new AbortController();
    const outcome = await fetch(url, signal).then(
      (bytes) => `${bytes.length} bytes`,
      (error) => `${error.code}: ${error.message}`,
    );
    said[outcome] = (said[outcome] ?? 0) + 1;
  };
  const { ms, lagMs, riseMb } = await measured(async () => {
    await Promise.all(Array.from({ length: times }, one));
  });
  const figures = `${ms.toFixed(0)} ms, lag ${lagMs.toFixed(0)} ms, +${riseMb.toFixed(0)} MB`;
  const outcomes = Object.entries(said).map(([text, count]) =>
    times > 1 ? `${count} × ${text}` : text,
  );
  console.log(`${name}${times > 1 ? ` ×${times}` : ''} | ${figures} | ${outcomes.join('; ')}`);
}

const at = (path: string) => `${origin}/${path}`;
await attack('small-file', at('small-file'), 200);
await attack('literal address', 'http://0x7f.1/');
await attack('name', 'http://localhost/');
for (const path of ['gzip-bomb', 'deflate-bomb', 'br-bomb', 'gzip-of-nothing', 'endless-body']) {
  await attack(path, at(path));
  await attack(path, at(path), 16);
}
for (const path of ['chunk-extensions', 'endless-header', 'announced-terabyte', 'redirect-loop']) {
  await attack(path, at(path));
}
await attack('redirect-inside', at('redirect-inside'));
for (const path of ['one-byte-chunks', 'trailers', 'early-hints']) await attack(path, at(path));
for (const path of ['silent', 'dripping-header', 'dripping-body']) await attack(path, at(path), 16);
server.kill();
process.exit(0);
