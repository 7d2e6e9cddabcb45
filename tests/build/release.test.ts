/** What a release may not carry. */
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const folder = testFolder('release');

/** `npm run build -- --release` with untrained weights. */
async function release(out: string, ...more: string[]): Promise<{ code: number; said: string }> {
  const args = ['--model', smallTestModel(), '--release', '--out', out, ...more];
  const child = Bun.spawn([process.execPath, 'build/build.ts', ...args], {
    cwd: join(import.meta.dir, '../..'),
    stderr: 'pipe',
  });
  const said = await new Response(child.stderr).text();
  return { code: await child.exited, said };
}

test('build --release, refuses untrained weights and writes nothing', async () => {
  const out = join(folder, 'refused');
  const { code, said } = await release(out);
  expect(said).toMatch(/^npm run build: --release: .* has untrained weights; .*--allow-untrained/);
  expect(code).toBe(2);
  expect(existsSync(out)).toBeFalse();
});

test('build --release --offline without weights, says so before anything is made', async () => {
  const cache = join(folder, 'cache');
  const child = Bun.spawn(
    [process.execPath, 'build/build.ts', '--release', '--offline', '--cache-dir', cache],
    { cwd: join(import.meta.dir, '../..'), stderr: 'pipe' },
  );
  const said = await new Response(child.stderr).text();
  expect(said).toMatch(
    /^npm run build: --release: the trained weights could not be had: offline, /,
  );
  expect(said).not.toContain('    at ');
  expect(await child.exited).toBe(1);
  expect(existsSync(join(cache, 'untrained'))).toBeFalse();
});

test('build --release --allow-untrained, takes them and says so', async () => {
  const out = join(folder, 'allowed');
  const { code, said } = await release(out, '--allow-untrained');
  expect(said).toContain('small-test-network, fp32, UNTRAINED');
  expect(code).toBe(0);
  expect(existsSync(out)).toBeTrue();
});
