/** The page as the compiled executable serves it, with a real network behind it. */
import { afterAll, beforeAll, expect } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { data, testUnless } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { preparedTestModel, smallTestModel } from '../support/models.ts';
import { type Operator, startOperator } from '../support/operator.ts';
import { launchBrowser, missingBrowser, visit } from './support/browser.ts';

const hasWeights = existsSync(data.kerasWeightsGz);
let browser: Browser;
let operator: Operator;

if (!missingBrowser) {
  beforeAll(async () => {
    const model = hasWeights ? await preparedTestModel('keras') : smallTestModel();
    operator = await startOperator({
      executable: await testExecutable(),
      args: ['--model', model],
      patienceMs: 60_000,
    });
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await operator.stop();
  });
}

const done = (page: Page, count: number): Promise<unknown> =>
  page.waitForFunction(
    (n) => document.querySelectorAll('.row[data-state=done]').length === n,
    count,
    { timeout: 60_000 },
  );

testUnless(
  missingBrowser,
  'the executable, serves the page and what /info tells',
  async () => {
    const info = (await (await fetch(`${operator.url}/info`)).json()) as Record<string, unknown>;
    expect(Object.keys(info).sort()).toEqual(
      [
        ...['device', 'engine', 'inFlight', 'modelId', 'precision', 'state', 'threads'],
        ...['trained', 'version'],
      ].sort(),
    );
    await using visited = await visit(browser, `${operator.url}/`);
    const { page, problems } = visited;
    await page.waitForSelector('#health[data-state=healthy]');
    expect(await page.textContent('#facts')).toContain(String(info.modelId));
    expect(await page.textContent('#version')).toBe(String(info.version));
    await page.click('#samples');
    await done(page, 6);
    expect(await page.locator('.times dt').first().textContent()).toBe('source');
    expect(problems).toEqual([]);
  },
  60_000,
);

const photosMissing = existsSync(data.photos) ? undefined : `${data.photos} is not there`;
const broken = join(data.edge, 'truncated.jpg');

testUnless(
  missingBrowser ?? photosMissing ?? (hasWeights ? undefined : 'the weights are not there'),
  'the executable, a visit with photos',
  async () => {
    const photos = readdirSync(data.photos)
      .filter((name) => /\.jpe?g$/i.test(name))
      .sort()
      .slice(0, 4)
      .map((name) => join(data.photos, name));
    await using visited = await visit(browser, `${operator.url}/`);
    const { page, problems } = visited;
    await page.setInputFiles('#pick', [...photos, broken]);
    await done(page, photos.length);
    await page.waitForSelector('.row[data-state=failed]');
    expect(await page.textContent('.failure code')).toBe('IMAGE_TRUNCATED');
    const norms = await page.locator('.figures div:first-child dd').allTextContents();
    expect(norms).toEqual(photos.map(() => '1.0000'));
    expect(await page.locator('.neighbours > li').count()).toBe(photos.length);
    expect(problems).toEqual([]);
  },
  60_000,
);
