/** Every example of docs/browser.md, taken out of the document, on a page of another origin, calling the executable. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { testUnless } from '../support/data.ts';
import { launchBrowser, missingBrowser, visit } from './support/browser.ts';
import { startExecutable } from './support/executable.ts';
import type { PageOperator } from './support/operator.ts';
import { notAPicture, warm } from './support/pictures.ts';

const repository = join(import.meta.dir, '../..');
const text = readFileSync(join(repository, 'docs/browser.md'), 'utf8');
const inDocument = 'http://127.0.0.1:52001';

/** The code blocks by the file name that stands behind their language. */
const blocks = new Map(
  [...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => [
    name,
    code,
  ]),
);
const examples = [...blocks.keys()].filter((name) => name.endsWith('.html'));

// Within the repository, so that packages are found; hidden, so that nothing else is.
const folder = mkdtempSync(join(repository, 'node_modules/.browser-examples-'));
let browser: Browser;
let operator: PageOperator;
let choosy: PageOperator;
let site: ReturnType<typeof Bun.serve>;

if (!missingBrowser) {
  beforeAll(async () => {
    browser = await launchBrowser();
    symlinkSync(join(repository, 'src/gen'), join(folder, 'gen'));
    // Serves the examples, each under /<operator's port>/, with that operator's address in place of the document's.
    site = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      async fetch({ url }) {
        const [, port = '', name = ''] = new URL(url).pathname.split('/');
        const code = name.endsWith('.js') ? await bundle(name) : blocks.get(name);
        if (code === undefined) return new Response('', { status: 404 });
        const type = name.endsWith('.js') ? 'text/javascript' : 'text/html';
        const page = code.replaceAll(inDocument, `http://127.0.0.1:${port}`);
        return new Response(page, { headers: { 'content-type': type } });
      },
    });
    operator = await startExecutable();
    choosy = await startExecutable(['--cors-origin', 'https://app.example.org']);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await operator.close();
    await choosy.close();
    await site.stop(true);
    rmSync(folder, { recursive: true });
  });
}

async function bundle(name: string): Promise<string | undefined> {
  const source = [name, name.replace(/js$/, 'ts')].find((candidate) => blocks.has(candidate));
  if (!source) return undefined;
  const entry = join(folder, source);
  writeFileSync(entry, blocks.get(source) ?? '');
  const built = await Bun.build({ entrypoints: [entry], target: 'browser' });
  return built.outputs[0]?.text();
}

/** What the example `name` shows for each file when it calls `of`. */
async function shown(
  name: string,
  of: PageOperator,
  files: readonly (typeof warm)[],
): Promise<string[]> {
  const { port } = new URL(of.url);
  await using visited = await visit(browser, `${site.url}${port}/${name}`);
  const { page } = visited;
  const texts: string[] = [];
  for (const file of files) {
    await page.evaluate(() => document.querySelector('pre')?.replaceChildren());
    await page.setInputFiles('input', file);
    await page.waitForFunction(() => document.querySelector('pre')?.textContent !== '');
    texts.push((await page.textContent('pre')) ?? '');
  }
  return texts;
}

const testInBrowser = (name: string, body: () => Promise<void>): void =>
  testUnless(missingBrowser, name, body);

test('docs/browser.md, has an example for each way it names', () => {
  expect(examples).toEqual([
    'generated-client.html',
    'fetch-json.html',
    'grpc-web.html',
    'classic-client.html',
  ]);
});

test('docs/browser.md, links only to what is there', () => {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, path = '']) => path);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((path) => !existsSync(join(repository, 'docs', path)))).toEqual([]);
});

for (const name of examples)
  testInBrowser(`${name}, shows the vector, and the error`, async () => {
    const reply = await fetch(`${operator.url}/omnisearch.Operator/Execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ datas: [warm.buffer.toString('base64')] }),
    });
    const { vectors } = (await reply.json()) as { vectors: { element: number[] }[] };
    const [vector, error] = await shown(name, operator, [warm, notAPicture]);
    expect((JSON.parse(vector!) as number[]).map(Math.fround)).toEqual(
      vectors[0]!.element.map(Math.fround),
    );
    expect(error).toMatch(
      /^\[(invalid_argument|3)\] datas\[0\]: the item decodes to text, not to an image; /,
    );
  });

testInBrowser('generated-client.html, refused where the origin is not allowed', async () => {
  const [text] = await shown('generated-client.html', choosy, [warm]);
  expect(text).toContain('Failed to fetch');
});

testInBrowser(
  "--cors-origin, the operator's own page and the named origin may call, others not",
  async () => {
    await using visited = await visit(browser, `${choosy.url}/`);
    await visited.page.waitForSelector('#health[data-state=healthy]');
    expect(visited.problems).toEqual([]);
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${choosy.url}/omnisearch.Operator/Execute`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.example.org');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    const refused = await preflight(`${site.url}`.replace(/\/$/, ''));
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  },
);

testInBrowser('a page of another origin, reads the headers it is promised', async () => {
  const { port } = new URL(operator.url);
  await using visited = await visit(browser, `${site.url}${port}/fetch-json.html`);
  const headers = await visited.page.evaluate(
    async ({ url, data }) => {
      const reply = await fetch(`${url}/omnisearch.Operator/Execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'from-a-page' },
        body: JSON.stringify({ datas: [data] }),
      });
      return Object.fromEntries(reply.headers);
    },
    { url: operator.url, data: warm.buffer.toString('base64') },
  );
  expect(headers['server-timing']).toMatch(/infer;dur=[\d.]+/);
  const { modelId } = (await (await fetch(`${operator.url}/info`)).json()) as { modelId: string };
  expect(headers['x-model-id']).toBe(modelId);
  expect(headers['x-model-trained']).toBe('false');
});
