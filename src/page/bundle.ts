/**
 * Makes the page's files. Runs as a macro: while the executable is compiled, so that it holds the result as constants, or,
 * from the sources, when page-files.ts is first loaded.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One file of the page as the browser is to get it. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  /** The file, gzipped, as base64. */
  readonly gzip: string;
  /** The first 16 hexadecimal digits of the SHA-256 of the plain file. */
  readonly hash: string;
}

export function bundlePage(): PageFile[] {
  const at = (name: string): string => join(import.meta.dir, name);
  return [
    pageFile('/', 'text/html; charset=utf-8', readFileSync(at('page.html'))),
    pageFile('/page.css', 'text/css; charset=utf-8', bundled(at('page.css'))),
    pageFile('/page.js', 'text/javascript; charset=utf-8', bundled(at('browser/main.ts'))),
    pageFile('/icon.svg', 'image/svg+xml', readFileSync(at('icon.svg'))),
  ];
}

function pageFile(path: string, contentType: string, plain: Uint8Array<ArrayBuffer>): PageFile {
  return {
    path,
    contentType,
    gzip: Buffer.from(Bun.gzipSync(plain, { level: 9 })).toString('base64'),
    hash: new Bun.CryptoHasher('sha256').update(plain).digest('hex').slice(0, 16),
  };
}

/** Bun.build within a macro would wait for itself, so a second process bundles. */
function bundled(entry: string): Uint8Array<ArrayBuffer> {
  const run = Bun.spawnSync([process.execPath, 'build', entry, '--target=browser', '--minify']);
  if (!run.success) throw new Error(`${entry} could not be bundled: ${run.stderr.toString()}`);
  return new Uint8Array(run.stdout);
}
