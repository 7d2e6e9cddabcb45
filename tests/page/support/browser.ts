/** Debian's Chromium, without a window and without a network of its own. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Says what is missing to run tests in a browser; undefined when nothing is. */
export const missingBrowser: string | undefined = existsSync(executablePath)
  ? undefined
  : `${executablePath} is not there`;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
  });
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, of the console (a violated policy is one) and requests that left the host. */
  readonly problems: readonly string[];
}

/** Opens `url` in a fresh profile. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const target = request.url();
    if (!target.startsWith(`${new URL(url).origin}/`) && !/^(blob|data):/.test(target))
      problems.push(`left the host: ${target}`);
  });
  await page.goto(url);
  return {
    page,
    problems,
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
