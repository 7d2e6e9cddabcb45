/** Every measurement says what it can be told, and what is wrong with what it was told. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { outputOf } from '../support/output-of.ts';

const main = join(import.meta.dir, '../../bench/main.ts');

const bench = (...args: string[]) =>
  outputOf(
    Bun.spawn([process.execPath, main, ...args], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  );

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
