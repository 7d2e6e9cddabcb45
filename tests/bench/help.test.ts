/** Every measurement says what it can be told, and what is wrong with what it was told. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';

const main = join(import.meta.dir, '../../bench/main.ts');

async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([process.execPath, main, ...args], { stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

test('bench, lists the measurements; one that is not there is 2 and the nearest', async () => {
  const [whole, help, misspelt] = await Promise.all([bench(), bench('help'), bench('srve')]);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(help).toEqual(whole);
  expect(misspelt).toMatchObject({ code: 2, stdout: '' });
  expect(misspelt.stderr).toStartWith('srve: there is no such measurement, did you mean serve?');
  const names = [...whole.stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(7);

  for (const name of names) {
    const [told, wrong] = await Promise.all([bench('help', name), bench(name, '--nonsense')]);
    expect(told.code, name).toBe(0);
    expect(told.stdout).toStartWith(`Usage: npm run bench -- ${name}`);
    expect(wrong.code, name).toBe(2);
    expect(wrong.stderr, name).toContain('--nonsense');
    expect(wrong.stderr, name).not.toContain('    at ');
  }
}, 60_000);
