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

test.each([
  ['serve', '--model', 'file'],
  ['start', '--model', 'file'],
  ['weights', '--model', 'file'],
  ['flood', '--executable', 'file'],
  ['drift', '--weights', 'file'],
])('bench %s %s, a wrong path is 2 and a sentence', async (name, flag, what) => {
  const { code, stdout, stderr } = await bench(name, flag, '/nowhere/a');
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: `bench ${name}: ${flag}: there is no ${what} /nowhere/a\n`,
  });
});

test('bench, what is found wrong later is a sentence as well', async () => {
  for (const [name, value, said] of [
    ['attacks', 'xyz', '--only xyz: no attack has these words'],
    ['flood', '6', '--only 6: the floods are 0 to 5'],
  ] as const)
    expect(await bench(name, '--only', value)).toEqual({
      code: 2,
      stdout: '',
      stderr: `bench ${name}: ${said}\n`,
    });
  const model = join(import.meta.dir, '../../package.json');
  for (const name of ['serve', 'start', 'weights']) {
    const { code, stderr } = await bench(name, '--model', model);
    expect(stderr).toBe(
      `bench ${name}: --model ${model}: that is a manifest; give the ONNX file beside it\n`,
    );
    expect(code).toBe(2);
  }
}, 60_000);
