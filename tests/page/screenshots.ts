/**
 * Takes the pictures of docs/images with a model of your own:
 *
 *     node_modules/.bin/bun tests/page/screenshots.ts MODEL.onnx [FOLDER]
 *
 * They show the drawn pictures and one file that is none. Look at them before you commit them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';
import { openEmbedder } from '../../src/embedder/open.ts';
import { launchBrowser, visit } from './support/browser.ts';
import { startOperator } from './support/operator.ts';
import { notAPicture } from './support/pictures.ts';

const [model, folder = join(import.meta.dir, '../../docs/images')] = process.argv.slice(2);
if (!model) throw new Error('which model? tests/page/screenshots.ts MODEL.onnx [FOLDER]');
mkdirSync(folder, { recursive: true });

const { config } = parseCommandLine(['serve', '--model', model], {}, ['serve']);
const embedder = await openEmbedder(config, () => {});
const operator = await startOperator({ embedder });
const browser = await launchBrowser();

const desk = { viewport: { width: 1200, height: 820 } };
const looks: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { ...desk, colorScheme: 'light' }],
  ['dark', { ...desk, colorScheme: 'dark' }],
  [
    'narrow',
    {
      viewport: { width: 360, height: 760 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
      colorScheme: 'light',
    },
  ],
];

for (const [look, options] of looks) {
  await using visited = await visit(browser, `${operator.url}/`, options);
  const { page, problems } = visited;
  const shoot = (name: string, fullPage: boolean): Promise<unknown> =>
    page.screenshot({ path: join(folder, `page-${name}.png`), fullPage });
  await page.waitForSelector('#health[data-state=healthy]');
  await page.waitForSelector('.sample-thumbnails img:nth-child(6)');
  if (look === 'light') await shoot('empty', false);
  await page.click('#samples');
  if (look !== 'narrow') await page.setInputFiles('#pick', [notAPicture]);
  await page.waitForFunction(
    () =>
      document.querySelectorAll('.row[data-state=done]').length === 6 &&
      !document.querySelector('.row[data-state=working]') &&
      document.querySelectorAll('.matrix tbody td').length === 36,
  );
  // The count of requests in flight is asked for once more when the last picture is done.
  await page.waitForFunction(
    () => document.querySelector('#in-flight')?.textContent === '0 requests in flight',
  );
  if (look === 'narrow') {
    await page.locator('.row').first().scrollIntoViewIfNeeded();
    await page.evaluate(() => document.querySelector('.row')?.scrollIntoView());
  }
  await shoot(look, look === 'light');
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
await browser.close();
await operator.close();
await embedder.close();
