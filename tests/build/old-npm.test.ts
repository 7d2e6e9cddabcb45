/** npm ci with an npm that is too old, which would run the install scripts that package.json declines, and fail in one. */
import { expect, test } from 'bun:test';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { outputOf } from '../support/output-of.ts';
import { testFolder } from '../support/test-folder.ts';

const repository = join(import.meta.dir, '../..');
const folder = testFolder('old-npm');

test('npm ci, ends at once with an npm older than package.json says, and names the one that is needed', async () => {
  // As if this machine's npm were too old; nothing is to be installed, so that nothing is fetched.
  const { name, version } = packageJson;
  const engines = { npm: '>=999' };
  const files = {
    'package.json': { name, version, engines },
    'package-lock.json': { name, version, lockfileVersion: 3, packages: { '': { name, version } } },
  };
  for (const [file, content] of Object.entries(files))
    writeFileSync(join(folder, file), JSON.stringify(content));
  copyFileSync(join(repository, '.npmrc'), join(folder, '.npmrc'));
  const child = Bun.spawn(['npm', 'ci'], { cwd: folder, stdout: 'pipe', stderr: 'pipe' });
  const { code, stderr } = await outputOf(child);
  expect(stderr).toContain(`Required: ${JSON.stringify(engines)}`);
  expect(code).toBe(1);
});

test('the README and the Dockerfile, name an npm that package.json accepts', () => {
  const needed = packageJson.engines.npm.replace('>=', '');
  for (const file of ['README.md', 'Dockerfile'])
    expect(readFileSync(join(repository, file), 'utf8')).toMatch(
      new RegExp(`(npx|npm exec --yes) npm@${RegExp.escape(needed)} (-- )?ci`),
    );
});
