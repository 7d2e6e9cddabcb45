import { expect, test } from 'bun:test';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from '../support/output-of.ts';
import { testFolder } from '../support/test-folder.ts';
import { serveLoopback } from './support/loopback.ts';

const folder = testFolder('command');
const main = join(import.meta.dir, '../../model/main.ts');

function start(...args: string[]) {
  return Bun.spawn([process.execPath, main, ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

const run = (...args: string[]) => outputOf(start(...args));

test('model, --help lists the commands, prepare --help its options', async () => {
  const [whole, prepare] = await Promise.all([run('--help'), run('prepare', '--help')]);
  expect(whole.code).toBe(0);
  expect(whole.stdout).toContain('prepare   turn weights');
  expect(await run('help', 'prepare')).toEqual(prepare);
  for (const line of prepare.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(prepare.code).toBe(0);
  for (const option of ['--out FOLDER', '--weights FILE|URL|untrained', '--offline', '--sha256'])
    expect(prepare.stdout).toContain(option);
});

test('model, an unknown command ends with 2', async () => {
  const { code, stderr } = await run('prepair');
  expect(code).toBe(2);
  expect(stderr).toContain('prepair: there is no such command, did you mean prepare?');
});

test('model prepare, all bad options are listed at once', async () => {
  const args = ['--wights', 'x', 'y', '--offline=yes', '--sha256', 'zz', '--time-limit', '0', '-o'];
  const { code, stderr } = await run('prepare', ...args);
  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toEqual([
    '--wights: there is no such option, did you mean --weights?',
    'y: unexpected argument',
    '--offline: takes no value',
    '--sha256: needs 64 hexadecimal digits',
    '--time-limit: needs a positive number of seconds, not "0"',
    '-o: there is no such option',
    '--out: is missing (where resnet50.onnx and resnet50.json go)',
  ]);
});

test('model prepare, an option that is needed and misspelt is not missing besides', async () => {
  const { stderr } = await run('prepare', '--uot', folder, '--weights', 'untrained');
  expect(stderr).toBe('--uot: there is no such option, did you mean --out?\n');
});

test('model prepare, a value that is missing, twice or the next option', async () => {
  const args = ['--out', '--offline', '--licence', 'a', '--licence', 'b', '--weights'];
  const { code, stderr } = await run('prepare', ...args);
  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toEqual([
    '--out: needs a value, FOLDER',
    '--licence: given twice',
    '--weights: needs a value, FILE|URL|untrained',
  ]);
});

test('model prepare, a failure ends with 1 and one plain sentence', async () => {
  const out = join(folder, 'failed');
  const { code, stdout, stderr } = await run('prepare', '--out', out, '--weights', '/absent.h5');
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: '--weights /absent.h5: there is no such file\n',
  });
  expect(existsSync(out)).toBe(false);
});

test('model prepare, an --out that is a file is refused before anything is read', async () => {
  const { code, stderr } = await run('prepare', '--out', main, '--weights', '/absent.h5');
  expect(stderr).toStartWith(`--out ${main}: that is a file; `);
  expect(code).toBe(2);
});

test('model prepare, prints the path of the model', async () => {
  const args = ['--out', folder, '--weights', 'untrained', '--time-limit', '9'];
  const { code, stdout, stderr } = await run('prepare', ...args);
  expect(code).toBe(0);
  expect(stderr).toStartWith(
    'warning: --time-limit has no effect: --weights untrained is not downloaded\n',
  );
  expect(stdout).toBe(`${join(folder, 'resnet50.onnx')}\n`);
  expect(stderr).toContain('This model is UNTRAINED: its vectors mean nothing.');
}, 180_000);

test('model, called by npm, takes paths from the folder where npm was called', async () => {
  writeFileSync(join(folder, 'no-weights'), 'x');
  const args = [process.execPath, main, 'prepare', '--out', 'sub', '--weights', 'no-weights'];
  const call = (script: string) =>
    outputOf(
      Bun.spawn(args, {
        env: { ...process.env, INIT_CWD: folder, npm_lifecycle_event: script },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      }),
    );
  expect((await call('model')).stderr).toContain('no-weights: ');
  expect((await call('model')).stderr).not.toContain('there is no such file');
  expect((await call('test')).stderr).toContain('no-weights: there is no such file');
});

test('model prepare, Ctrl-C during a download ends with 130 and leaves nothing', async () => {
  const asked = Promise.withResolvers<void>();
  const server = await serveLoopback({
    '/weights.h5': (response) => {
      response.writeHead(200, { 'content-length': 1e6 });
      response.write(Buffer.alloc(5e5));
      asked.resolve();
    },
  });
  const cache = join(folder, 'cache');
  const weights = `${server.url}/weights.h5`;
  const child = start('prepare', '--out', folder, '--cache-dir', cache, '--weights', weights);
  await asked.promise;
  child.kill('SIGINT');
  expect(await child.exited).toBe(130);
  await server.close();
  const left = readdirSync(join(cache, 'downloads'));
  expect(left.filter((name) => !name.endsWith('.lock'))).toEqual([]);
}, 180_000);
