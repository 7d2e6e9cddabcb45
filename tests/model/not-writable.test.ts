/** Folders that cannot be written into are named before anything is made, in words and not by the name of a system call. */
import { expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assertWritable, makeFolder } from '../../model/files/folders.ts';
import { smallTestModel } from '../support/models.ts';
import { outputOf } from '../support/output-of.ts';
import { testFolder } from '../support/test-folder.ts';

const folder = testFolder('not-writable');
const file = join(folder, 'file');
writeFileSync(file, '');
const gzipped = join(folder, 'weights.gz');
writeFileSync(gzipped, gzipSync('weights'));

const run = (script: string, args: readonly string[], env: Record<string, string> = {}) =>
  outputOf(
    Bun.spawn([process.execPath, join(import.meta.dir, '../..', script), ...args], {
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  );

test('assertWritable, a folder that is there, one that is to be made, and one below a file', () => {
  assertWritable(folder, '--out x');
  assertWritable(join(folder, 'a/b/c'), '--out x');
  assertWritable('.', '--out x');
  expect(() => assertWritable(join(file, 'a/b'), '--out x')).toThrow(
    new Error(`--out x: ${file} cannot be written into: that is a file and no folder`),
  );
});

test('makeFolder, below a file: which one and why', () => {
  expect(() => makeFolder(join(file, 'a'))).toThrow(
    `the folder ${join(file, 'a')} cannot be made: a part of the path is a file and no folder`,
  );
});

const below = `${file} cannot be written into: that is a file and no folder`;
test.each([
  ['model/main.ts', 'prepare --weights untrained --out', join(file, 'a'), ''],
  ['build/build.ts', `--model ${smallTestModel()} --out`, join(file, 'a'), 'npm run build: '],
])('%s %s, ends with 2 before it begins', async (script, words, out, before) => {
  const { code, stderr } = await run(script, [...words.split(' '), out]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `${before}--out ${out}: ${below}\n` });
});

test('npm start, a cache folder that cannot be made: which one, and the variable that names another', async () => {
  const { code, stderr } = await run('build/start.ts', ['--weights', gzipped], {
    XDG_CACHE_HOME: file,
  });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `npm start: the cache folder ${join(file, 'resnet50-encoder')} (XDG_CACHE_HOME names another place): ${below}\n`,
  });
});

test('model prepare, a temporary folder that is not there: which one, and the variable that names another', async () => {
  const args = ['prepare', '--weights', gzipped, '--out', join(folder, 'out')];
  const { code, stderr } = await run('model/main.ts', args, { TMPDIR: '/nowhere' });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `${gzipped}: cannot be unpacked: the folder /nowhere cannot be written into: there is no such file or folder (another one: TMPDIR)\n`,
  });
});

test('model convert, a path through a file: a sentence', async () => {
  const model = join(folder, 'model', basename(smallTestModel()));
  mkdirSync(dirname(model));
  copyFileSync(smallTestModel(), model);
  const { code, stderr } = await run('model/main.ts', ['convert', '--model', join(model, 'x')]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `--model ${join(model, 'x')}: it cannot be read: a part of the path is a file and no folder\n`,
  });
});
