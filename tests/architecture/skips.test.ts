/** No test is left out without a word. */
import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testFolder } from '../support/test-folder.ts';
import { repository, sourcesOf, textOf } from './support/imports.ts';

test('tests, none is skipped, singled out or put off, but by testUnless, which says why', () => {
  const aside = /\b(?:test|it|describe)(?:\.each\([^)]*\))?\.(?:skip|only|todo|if|failing)\w*\(/;
  expect(sourcesOf('tests').filter((file) => aside.test(textOf(file)))).toEqual([
    'tests/support/data.ts',
  ]);
});

test('testUnless, what is missing is told; with REQUIRE_ALL=1 the test fails, unless MAY_LACK has a word of it', () => {
  const folder = testFolder('skips');
  const file = join(folder, 'one.test.ts');
  const support = join(repository, 'tests/support/data.ts');
  writeFileSync(
    file,
    `import { testUnless } from '${support}';\ntestUnless('a spoon is not there', 'soup', () => {});\n`,
  );
  const run = (REQUIRE_ALL: string, MAY_LACK = '') => {
    const env = { ...process.env, REQUIRE_ALL, MAY_LACK };
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'test', file], { env });
    return { exitCode, said: stderr.toString() };
  };
  const [skipped, failed] = [run('0'), run('1')];
  const [allowed, other] = [run('1', 'spoon'), run('1', 'fork')];
  for (const { said, exitCode } of [skipped, allowed]) {
    expect(said).toContain('soup (skipped: a spoon is not there)');
    expect(said).toContain('1 skip');
    expect(exitCode).toBe(0);
  }
  for (const { said, exitCode } of [failed, other]) {
    expect(said).toContain('REQUIRE_ALL=1, but a spoon is not there');
    expect(exitCode).toBe(1);
  }
});
