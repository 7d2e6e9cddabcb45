/** What a release may not carry. */
import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallTestModel } from '../support/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'release-'));
afterAll(() => rmSync(folder, { recursive: true }));

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

test('build --release --allow-untrained, takes them and says so', async () => {
  const out = join(folder, 'allowed');
  const { code, said } = await release(out, '--allow-untrained');
  expect(said).toContain('small-test-network, fp32, UNTRAINED');
  expect(code).toBe(0);
  expect(existsSync(out)).toBeTrue();
});

for (const more of [['--no-model'], ['--weights', 'a.h5']])
  test(`build --model FILE ${more.join(' ')}, refuses to guess which model is meant`, async () => {
    const out = join(folder, 'contradiction');
    const { code, said } = await release(out, '--allow-untrained', ...more);
    expect(said).toStartWith(`npm run build: --model and ${more[0]}: give one of them`);
    expect(code).toBe(2);
    expect(existsSync(out)).toBeFalse();
  });
