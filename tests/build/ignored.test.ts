import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { outputOf } from '../support/output-of.ts';

const repository = join(import.meta.dir, '../..');

test('git, takes no cache for a change that Bun or npm puts here when HOME or XDG_CACHE_HOME is empty', async () => {
  const caches = ['bun/@t@/a.pile', '.bun/install/cache/a', '~/.npm/_cacache/a'];
  const child = Bun.spawn(['git', 'check-ignore', ...caches], {
    cwd: repository,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { stdout } = await outputOf(child);
  expect(stdout.trim().split('\n')).toEqual(caches);
});
