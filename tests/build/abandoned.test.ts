/** What a killed run has left goes away with the next one, and one that is interrupted leaves nothing. */
import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../model/files/abandoned.ts';
import { writeFileAtomically } from '../../model/files/staged-file.ts';
import { eventually } from '../support/eventually.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';
import { build } from './support/other-folder.ts';

const repository = join(import.meta.dir, '../..');

/** The number of a process that has ended. */
const gone = Bun.spawnSync(['true']).pid;

test('a staged file, removes those of ended processes for the same file only', () => {
  const here = testFolder('files');
  const left = [`.a.onnx.${gone}.0.tmp`, `.a.onnx.${process.ppid}.0.tmp`, `.b.onnx.${gone}.0.tmp`];
  for (const name of [...left, '.a.onnx.json', 'a.onnx']) writeFileSync(join(here, name), '');
  writeFileAtomically(join(here, 'a.onnx'), 'new');
  expect(readdirSync(here).sort()).toEqual([...left.slice(1), '.a.onnx.json', 'a.onnx'].sort());
});

test('a temporary folder, removes those of ended processes with what is in them', () => {
  const here = testFolder('folders');
  mkdirSync(join(here, `.build.${gone}.abcdef/deep`), { recursive: true });
  mkdirSync(join(here, '.build-notes'));
  const [first, second] = [temporaryFolder(here, 'build'), temporaryFolder(here, 'build')];
  expect(
    readdirSync(here)
      .map((name) => join(here, name))
      .sort(),
  ).toEqual([join(here, '.build-notes'), first, second].sort());
});

test('npm run build, clears away what a build that was killed has left', async () => {
  const here = testFolder('killed');
  const args = ['--model', smallTestModel(), '--out', join(here, 'resnet50-encoder')];
  const killed = Bun.spawn([process.execPath, 'build/build.ts', ...args], {
    cwd: repository,
    stderr: 'ignore',
  });
  await eventually(() => readdirSync(here).length > 0);
  killed.kill('SIGKILL');
  await killed.exited;
  expect(readdirSync(here)).toEqual([expect.stringMatching(/^\.build\.\d+\./)]);
  await build(repository, ...args);
  expect(readdirSync(here)).toEqual(['resnet50-encoder']);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('npm run build, leaves nothing when it is told to end by %s', async (signal, code) => {
  const here = testFolder('interrupted');
  const args = ['--model', smallTestModel(), '--out', join(here, 'resnet50-encoder')];
  const child = Bun.spawn([process.execPath, 'build/build.ts', ...args], {
    cwd: repository,
    stderr: 'pipe',
  });
  await eventually(() => readdirSync(here).length > 0);
  child.kill(signal);
  expect(await child.exited).toBe(code);
  expect(await new Response(child.stderr).text()).toBe('npm run build: interrupted\n');
  expect(readdirSync(here)).toEqual([]);
});

test('npm start, leaves nothing of the model or of the unpacked weights when it is interrupted', async () => {
  const [cache, temporary] = [testFolder('cache'), testFolder('tmp')];
  const child = Bun.spawn([process.execPath, 'build/start.ts', '--weights', 'untrained'], {
    cwd: repository,
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache, TMPDIR: temporary },
    stderr: 'pipe',
  });
  const prepared = join(cache, 'resnet50-encoder/prepared');
  await eventually(() => existsSync(prepared));
  child.kill('SIGINT');
  expect(await child.exited).toBe(130);
  expect(await new Response(child.stderr).text()).toBe('npm start: interrupted\n');
  expect([...readdirSync(prepared), ...readdirSync(temporary)]).toEqual([]);
});
