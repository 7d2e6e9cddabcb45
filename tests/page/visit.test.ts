/** A visit to the operator's page in Chromium, in front of the real server. */
import { afterAll, beforeAll, expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Embedder } from '../../src/embedder/embedder.ts';
import { OperatorError } from '../../src/errors.ts';
import { testUnless } from '../support/data.ts';
import { eventually } from '../support/eventually.ts';
import { launchBrowser, missingBrowser, type Visit, visit } from './support/browser.ts';
import { type PageOperator, startOperator } from './support/operator.ts';
import { createPictureEmbedder } from './support/picture-embedder.ts';
import { chequered, notAPicture, type PictureFile, warm, warmer } from './support/pictures.ts';

const embedder = createPictureEmbedder();
let browser: Browser;
let operator: PageOperator;

if (!missingBrowser) {
  beforeAll(async () => {
    browser = await launchBrowser();
    operator = await startOperator({ embedder });
  });
  afterAll(async () => {
    await browser.close();
    await operator.close();
  });
}

const testInBrowser = (name: string, body: () => Promise<void>): void =>
  testUnless(missingBrowser, name, body);

const open = (options?: BrowserContextOptions): Promise<Visit> =>
  visit(browser, `${operator.url}/`, options);

async function vectorOf({ buffer }: PictureFile): Promise<number[]> {
  const request = { datas: [buffer.toString('base64')], urls: [] };
  const { vectors } = await embedder.embed(request, new AbortController().signal);
  return [...vectors[0]!];
}

const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.textContent(selector)) ?? '';

/** Waits until no picture is waiting or under way. */
async function settled(page: Page, count: number): Promise<void> {
  await page.waitForFunction((n) => {
    const rows = [...document.querySelectorAll<HTMLElement>('.row')];
    return rows.length === n && rows.every((row) => /done|failed/.test(row.dataset.state ?? ''));
  }, count);
  // The parts that depend on all pictures are drawn in the next frame.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(0))));
}

/** Hands files over as a drop on the page or a paste would. */
async function hand(
  page: Page,
  by: 'drop' | 'paste',
  files: readonly PictureFile[],
): Promise<void> {
  const sent = files.map(({ name, mimeType, buffer }) => ({
    name,
    mimeType,
    bytes: [...buffer],
  }));
  await page.evaluate(
    ([kind, list]) => {
      const transfer = new DataTransfer();
      for (const { name, mimeType, bytes } of list)
        transfer.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }));
      document.body.dispatchEvent(
        kind === 'drop'
          ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }),
      );
    },
    [by, sent] as const,
  );
}

async function downloaded(page: Page, click: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(click)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

testInBrowser('the page, says what the operator is', async () => {
  await using visited = await open();
  const { page, problems } = visited;
  await page.waitForSelector('#health[data-state=healthy]');
  expect(await page.title()).toBe('resnet50_encoder');
  const facts = await textOf(page, '#facts');
  for (const fact of [
    '127.0.0.1:52001',
    embedder.info.modelId,
    'from a file',
    'fp32',
    'simd',
    'wasm',
    '2048',
    'L2',
  ])
    expect(facts).toContain(fact);
  expect(await textOf(page, '#in-flight')).toBe('0 requests in flight');
  expect(await page.locator('#untrained').isVisible()).toBe(false);
  expect(await page.locator('#sheet').isVisible()).toBe(false);
  expect(problems).toEqual([]);
});

testInBrowser('pictures picked, dropped and pasted, all become vectors to look at', async () => {
  await using visited = await open();
  const { page, problems } = visited;
  await page.setInputFiles('#pick', [warm]);
  await hand(page, 'drop', [chequered]);
  await hand(page, 'paste', [warmer]);
  await settled(page, 3);

  expect(await page.locator('.row h3').allTextContents()).toEqual([
    'warm.png',
    'chequered.png',
    'warmer.png',
  ]);
  expect(await textOf(page, '#progress-text')).toMatch(/^3 of 3, in [\d.]+ m?s$/);
  const vector = await vectorOf(warm);
  const figures = await textOf(page, '.row:first-child .figures');
  expect(figures).toContain('1.0000');
  expect(figures).toContain(Math.max(...vector).toFixed(4));
  const zeros = vector.filter((value) => value === 0).length / vector.length;
  expect(figures).toContain(`${(zeros * 100).toFixed(1)} %`);

  const colours = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.strip canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width * canvas.height, new Set(new Uint32Array(data.buffer)).size];
  });
  expect(colours[0]).toBe(2048);
  expect(colours[1]).toBeGreaterThan(50);

  const stages = await page.locator('.row').first().locator('.times dt').allTextContents();
  expect(stages).toEqual(['source', 'decode', 'preprocess', 'queue', 'infer', 'network']);
  expect(await page.locator('.matrix tbody td').count()).toBe(9);
  // warm and warmer are nearest to each other; chequered's nearest is one of them.
  expect(await page.locator('.matrix .nearest').count()).toBe(3);
  expect(await textOf(page, '.neighbours > li:first-child li:first-child .other')).toBe(
    'warmer.png',
  );
  expect(await textOf(page, '.neighbours > li:last-child li:first-child .other')).toBe('warm.png');
  const other = await vectorOf(warmer);
  const cosine = vector.reduce((sum, value, i) => sum + value * other[i]!, 0);
  expect(await textOf(page, '.neighbours > li:first-child li:first-child .value')).toBe(
    cosine.toFixed(3),
  );
  expect(problems).toEqual([]);
});

testInBrowser('vectors, downloaded and copied as they came', async () => {
  await using visited = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  const { page, problems } = visited;
  await page.setInputFiles('#pick', [warm, chequered]);
  await settled(page, 2);
  const expected = [await vectorOf(warm), await vectorOf(chequered)];
  const floats = (bytes: Uint8Array): number[] => [
    ...new Float32Array(new Uint8Array(bytes).buffer),
  ];

  const npy = await downloaded(page, '#save-npy');
  expect(npy.name).toBe('vectors.npy');
  expect(npy.bytes.toString('latin1')).toContain("'shape': (2, 2048)");
  expect(floats(npy.bytes.subarray(-2 * 2048 * 4))).toEqual(expected.flat());

  const json = await downloaded(page, '#save-json');
  const saved = JSON.parse(json.bytes.toString()) as {
    modelId: string;
    metricType: string;
    vectors: { name: string; vector: number[] }[];
  };
  expect([saved.modelId, saved.metricType]).toEqual([embedder.info.modelId, 'L2']);
  expect(saved.vectors.map(({ name }) => name)).toEqual(['warm.png', 'chequered.png']);
  expect(saved.vectors.map(({ vector }) => vector.map(Math.fround))).toEqual(expected);

  const one = await downloaded(page, '.row:nth-child(2) button:has-text(".npy")');
  expect(one.name).toBe('chequered.npy');
  expect(floats(one.bytes.subarray(-2048 * 4))).toEqual(expected[1]!);

  const clipboard = async (button: string): Promise<unknown> => {
    await page.click(button);
    await page.waitForSelector('#toast:not([hidden])');
    return JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  };
  const copied = (await clipboard('.row button:has-text("Copy")')) as number[];
  expect(copied.map(Math.fround)).toEqual(expected[0]!);
  expect(await clipboard('#copy-all')).toEqual(saved);
  expect(problems).toEqual([]);
});

testInBrowser('an error, shown at the picture it belongs to', async () => {
  await using visited = await open();
  const { page, problems } = visited;
  const empty = { name: 'empty.png', mimeType: 'image/png', buffer: Buffer.alloc(0) };
  await page.setInputFiles('#pick', [warm, notAPicture, empty]);
  await settled(page, 3);
  const rows = page.locator('.row');
  expect(await rows.evaluateAll((all) => all.map((row) => row.dataset.state))).toEqual([
    'done',
    'failed',
    'failed',
  ]);
  expect(await textOf(page, '.row:nth-child(2) .failure')).toBe(
    'Not accepted IMAGE_UNKNOWN_FORMATThe bytes are not a PNG file.',
  );
  expect(await textOf(page, '.row:nth-child(3) .failure code')).toBe('IMAGE_EMPTY');
  expect(await textOf(page, '.row:nth-child(2) .no-thumbnail')).toBe('txt');
  expect(await textOf(page, '#progress-text')).toStartWith('1 of 3, 2 failed');
  // The same bytes will not be accepted later either.
  expect(await page.locator('.failure button').count()).toBe(0);
  expect(await page.locator('#similarity').isVisible()).toBe(false);
  expect(problems).toEqual([]);
});

testInBrowser('a busy operator, tried again', async () => {
  let busy = true;
  let refused = 0;
  const moody: Embedder = {
    ...embedder,
    inFlight: 0,
    embed(request, signal) {
      if (!busy) return embedder.embed(request, signal);
      refused++;
      return Promise.reject(new OperatorError('OVERLOADED', 'the queue is full'));
    },
  };
  const own = await startOperator({ embedder: moody });
  await using visited = await visit(browser, `${own.url}/`);
  const { page } = visited;
  await page.setInputFiles('#pick', [warm, warmer]);
  await settled(page, 2);
  expect(await page.locator('.failure code').allTextContents()).toEqual([
    'OVERLOADED',
    'OVERLOADED',
  ]);
  busy = false;
  await page.click('.row:first-child .failure button');
  await page.waitForSelector('.row[data-state=done]:first-child');
  busy = true;
  await page.click('.row:last-child .failure button');
  // It looks as it did before: that it was sent again is seen here.
  await eventually(() => refused === 3);
  await page.waitForSelector('.row[data-state=failed]:last-child');
  await own.close();
});

testInBrowser('an operator that starts, then serves, then is gone', async () => {
  const opening = Promise.withResolvers<Embedder>();
  const own = await startOperator({ embedder: opening.promise });
  await using visited = await visit(browser, `${own.url}/`);
  const { page } = visited;
  await page.waitForSelector('#health[data-state=not-ready]');
  expect(await textOf(page, '#health')).toContain('still being loaded');
  opening.resolve(createPictureEmbedder({ trained: false }));
  await page.waitForSelector('#health[data-state=healthy]');
  expect(await page.locator('#untrained').isVisible()).toBe(true);
  expect(await textOf(page, '#untrained')).toContain('for search they mean nothing');
  await page.setInputFiles('#pick', [warm, warmer]);
  await settled(page, 2);
  expect(await page.locator('#similarity [data-untrained]').isVisible()).toBe(true);
  await own.close();
  await page.waitForSelector('#health[data-state=unreachable]');
  expect(await textOf(page, '#in-flight')).toBe('');
  await page.setInputFiles('#pick', [chequered]);
  await settled(page, 3);
  expect(await textOf(page, '.failure')).toContain('Operator not reached');
});

testInBrowser('a whole visit by keyboard', async () => {
  await using visited = await open();
  const { page, problems } = visited;
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const { id, ariaLabel, textContent } = document.activeElement as HTMLElement;
      return id || ariaLabel || (textContent ?? '');
    });
  // Asked for early: the browser has to be told that no window for files is to open, and that takes its time.
  const choosing = page.waitForEvent('filechooser');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('pick');
  await page.waitForSelector('#health[data-state=healthy]');
  await page.keyboard.press('Enter');
  const chooser = await choosing;
  await chooser.setFiles([warm, chequered]);
  await settled(page, 2);

  const order: string[] = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press('Tab');
    order.push(await focused());
  }
  expect(order).toEqual([
    'save-npy',
    'save-json',
    'copy-all',
    'clear',
    'probe',
    'Copy the vector of warm.png',
    'Download as .npy the vector of warm.png',
    'Remove warm.png',
    'Copy the vector of chequered.png',
  ]);

  await page.focus('#probe');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  expect(await textOf(page, '.row:first-child .probed dt')).toBe('At 1');
  const value = (await vectorOf(warm))[1] ?? 0;
  expect(await textOf(page, '.row:first-child .probed dd')).toBe(
    value === 0 ? '0' : value.toFixed(4),
  );

  await page.focus('.row:first-child button:has-text("Remove")');
  await page.keyboard.press('Enter');
  expect(await focused()).toBe('chequered.png');
  expect(await textOf(page, '#announcer')).toBe('warm.png removed');
  await page.focus('#clear');
  await page.keyboard.press('Enter');
  expect(await focused()).toBe('pick');
  expect(await page.locator('.row').count()).toBe(0);
  expect(problems).toEqual([]);
});

testInBrowser('pointing at a strip, marks the same dimension in every picture', async () => {
  await using visited = await open();
  const { page } = visited;
  await page.setInputFiles('#pick', [warm, chequered]);
  await settled(page, 2);
  const box = (await page.locator('.strip').first().boundingBox())!;
  await page.mouse.move(box.x + (box.width * 10.5) / 128, box.y + (box.height * 3.5) / 16);
  expect(await textOf(page, '#probe-value')).toBe(String(3 * 128 + 10));
  expect(await page.locator('.probed dt').allTextContents()).toEqual(['At 394', 'At 394']);
});

testInBrowser('drawn pictures, are six, and clear brings the beginning back', async () => {
  await using visited = await open();
  const { page, problems } = visited;
  await page.focus('#samples');
  await page.keyboard.press('Enter');
  await settled(page, 6);
  expect(await page.locator('.row[data-state=done]').count()).toBe(6);
  // The button went with the empty page.
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('sheet');
  const pairs = await page
    .locator('.neighbours > li .subject, .neighbours > li li:first-child .other')
    .allTextContents();
  expect(pairs.slice(0, 8)).toEqual([
    ...['dusk.png', 'later.png', 'later.png', 'dusk.png'],
    ...['bricks.png', 'bricks-near.png', 'bricks-near.png', 'bricks.png'],
  ]);
  await page.click('#clear');
  await page.waitForSelector('.samples', { state: 'visible' });
  expect(await page.locator('#similarity').isVisible()).toBe(false);
  expect(problems).toEqual([]);
});

testInBrowser('something without a file, dropped, is explained', async () => {
  await using visited = await open();
  const { page } = visited;
  await hand(page, 'drop', []);
  expect(await textOf(page, '#intake-note')).toContain('held no file');
  await page.setInputFiles('#pick', [warm]);
  expect(await textOf(page, '#intake-note')).toBe('');
});

testInBrowser('a dark scheme, repaints what was painted', async () => {
  await using visited = await open({ colorScheme: 'light' });
  const { page } = visited;
  await page.setInputFiles('#pick', [warm, warmer]);
  await settled(page, 2);
  const colours = (): Promise<unknown> =>
    page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.strip canvas')!;
      const cell = document.querySelector<HTMLElement>('.matrix .nearest')!;
      return [canvas.toDataURL(), cell.style.backgroundColor];
    });
  const [lightStrip, lightCell] = (await colours()) as string[];
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  const [darkStrip, darkCell] = (await colours()) as string[];
  expect(darkStrip).not.toBe(lightStrip!);
  expect(darkCell).not.toBe(lightCell!);
});
