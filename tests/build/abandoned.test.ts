/** What a killed run has left goes away with the next one, and one that is interrupted leaves nothing. */
import { expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { temporaryFolder, temporaryName } from '../../model/files/abandoned.ts';
import { place } from '../../model/files/process-place.ts';
import { stageFile, writeFileAtomically } from '../../model/files/staged-file.ts';
import { testUnless } from '../support/data.ts';
import { eventually } from '../support/eventually.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';
import { build } from './support/other-folder.ts';

const repository = join(import.meta.dir, '../..');

/** The number of a process that has ended. */
const gone = Bun.spawnSync(['true']).pid;

/** The name that a process here would have given. */
const nameOf = (pid: number, name: string): string =>
  temporaryName(name, '.tmp').replace(`.${process.pid}.`, `.${pid}.`);
const hours = (path: string, age: number): void => {
  const then = Date.now() / 1000 - age * 3600;
  utimesSync(path, then, then);
};

test('a staged file, removes those of ended processes for the same file only', () => {
  const here = testFolder('files');
  const ended = nameOf(gone, 'a.onnx');
  const kept = [nameOf(process.ppid, 'a.onnx'), nameOf(gone, 'b.onnx'), '.a.onnx.json', 'a.onnx'];
  for (const name of [ended, ...kept]) writeFileSync(join(here, name), '');
  hours(join(here, kept[0]!), 100);
  writeFileAtomically(join(here, 'a.onnx'), 'new');
  expect(readdirSync(here).sort()).toEqual(kept.sort());
});

test('a staged file, removes what another process with the number of this one has left', () => {
  const here = testFolder('same-number');
  const own = stageFile(join(here, 'a.onnx'), 'own');
  const left = join(here, `.a.onnx.${process.pid}.${place}.${'0'.repeat(12)}.tmp`);
  const before = join(here, `.a.onnx.${process.pid}.0.tmp`);
  for (const path of [left, before]) writeFileSync(path, '');
  writeFileAtomically(join(relative('.', here), 'a.onnx'), 'new');
  expect(existsSync(left)).toBeFalse();
  expect(existsSync(own.temporaryPath)).toBeTrue();
  own.discard();
});

test('a staged file, leaves those of other containers and hosts alone for a day', () => {
  const here = testFolder('elsewhere');
  // In another container the process lives, though here there is none of that number.
  const elsewhere = ['0'.repeat(12), 'f'.repeat(12)].map((other, i) => {
    const path = join(here, nameOf(gone, 'a.onnx').replace(place, other));
    writeFileSync(path, '');
    hours(path, i === 0 ? 23 : 25);
    return path;
  });
  writeFileAtomically(join(here, 'a.onnx'), 'new');
  expect(elsewhere.map((path) => existsSync(path))).toEqual([true, false]);
});

test('the place of a process, is that of another one here', () => {
  const module = join(repository, 'model/files/process-place.ts');
  const script = `console.log((await import(${JSON.stringify(module)})).place)`;
  const { stdout } = Bun.spawnSync([process.execPath, '-e', script]);
  expect(stdout.toString().trim()).toBe(place);
});

test('temporary names, are never the same twice', () => {
  expect(new Set(Array.from({ length: 100 }, () => temporaryName('a', '.tmp'))).size).toBe(100);
});

test('a temporary folder, removes those of ended processes with what is in them', () => {
  const here = testFolder('folders');
  mkdirSync(join(here, nameOf(gone, 'build'), 'deep'), { recursive: true });
  mkdirSync(join(here, '.build-notes'));
  const [first, second] = [temporaryFolder(here, 'build'), temporaryFolder(here, 'build')];
  expect(
    readdirSync(here)
      .map((name) => join(here, name))
      .sort(),
  ).toEqual([join(here, '.build-notes'), first, second].sort());
});

const inContainer = Bun.which('unshare')
  ? Bun.spawnSync(['unshare', '--pid', '--fork', '--mount-proc', 'true']).exitCode === 0
    ? undefined
    : 'a container of their own is not given to processes here'
  : 'unshare is not installed';

testUnless(inContainer, 'two containers with one folder, each leaves the file of the other', () => {
  const here = testFolder('containers');
  const own = stageFile(join(here, 'a.onnx'), 'own');
  const module = join(repository, 'model/files/staged-file.ts');
  const script = `(await import(${JSON.stringify(module)})).writeFileAtomically('a.onnx', 'other')`;
  const other = Bun.spawnSync(
    ['unshare', '--pid', '--fork', '--mount-proc', process.execPath, '-e', script],
    { cwd: here },
  );
  expect(other.stderr.toString()).toBe('');
  expect(readFileSync(join(here, 'a.onnx'), 'utf8')).toBe('other');
  expect(existsSync(own.temporaryPath)).toBeTrue();
  own.commit();
  expect(readFileSync(join(here, 'a.onnx'), 'utf8')).toBe('own');
  expect(readdirSync(here)).toEqual(['a.onnx']);
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
