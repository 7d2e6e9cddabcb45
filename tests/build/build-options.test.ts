/** What `npm run build` and `npm start` refuse before they make anything. */
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseBuildOptions } from '../../build/build-options.ts';
import { ConfigError } from '../../src/errors.ts';
import { smallTestModel } from '../support/models.ts';
import { outputOf } from '../support/output-of.ts';
import { testFolder } from '../support/test-folder.ts';

const repository = join(import.meta.dir, '../..');
const cache = testFolder('options');

function problemsOf(words: string): string[] {
  try {
    parseBuildOptions(words.split(' '));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split('\n');
  }
  return [];
}

test.each([
  ['--no-model --precision int8', '--precision and --no-model'],
  ['--no-model --weights a.h5', '--weights and --no-model'],
  ['--model a.onnx --weights a.h5', '--model and --weights'],
  ['--release --weights untrained', '--release refuses --weights untrained'],
  ['--target all --out x', '--out: one file cannot hold several targets'],
  ['--presicion int8', '--presicion: there is no such option, did you mean --precision?'],
  ['--precision int4', '--precision: needs one of fp32, fp16, int8, all'],
])('build %s, refused', (words, problem) => {
  expect(problemsOf(words)[0]).toStartWith(problem);
});

test.each([
  '--no-model --target all',
  '--release --allow-untrained --weights untrained',
  '--out x',
])('build %s, allowed', (words) => expect(problemsOf(words)).toEqual([]));

const start = (args: readonly string[], env: Record<string, string> = {}) =>
  outputOf(
    Bun.spawn([process.execPath, 'build/start.ts', ...args], {
      cwd: repository,
      env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  );

test('npm start, what the executable would refuse is refused before it is built', async () => {
  const wrong = await start(['--thread', '2', '--weights', 'untrained']);
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toBe('npm start: --thread is not an option, did you mean --threads?\n');
  const own = await start(['--weigths', 'a.h5']);
  expect(own.stderr).toBe('npm start: --weigths is not an option, did you mean --weights?\n');

  const int8 = await start(['--weights', 'untrained', '--precision', 'int8']);
  expect(int8.code).toBe(2);
  expect(int8.stderr).toStartWith('npm start: --precision int8: a model that is made now has fp32');

  const byVariable = await start(['--model', smallTestModel()], { OP_PRECISION: 'int8' });
  expect(byVariable.code).toBe(2);
  expect(byVariable.stderr).toStartWith('npm start: OP_PRECISION=int8: the model');
  expect(byVariable.stderr).toContain(`\`npm run model -- quantize --model ${smallTestModel()} `);

  const absent = await start(['--model', '/nowhere/a.onnx']);
  expect(absent.stderr).toBe('npm start: --model /nowhere/a.onnx: there is no such file\n');
  expect(absent.code).toBe(2);

  const both = await start(['--weights', 'untrained', '--model', 'a.onnx']);
  expect(both).toMatchObject({ code: 2 });
  expect(both.stderr).toStartWith('npm start: --model and --weights: ');
  expect(existsSync(join(cache, 'resnet50-encoder'))).toBeFalse();
}, 60_000);

test('npm run build, another machine’s Bun that cannot be had: what, from where and why', async () => {
  const args = ['--target', 'linux-arm64', '--no-model', '--cache-dir', cache];
  const child = Bun.spawn([process.execPath, 'build/build.ts', ...args], {
    cwd: repository,
    env: {
      ...process.env,
      npm_config_registry: 'http://127.0.0.1:1',
      npm_config_fetch_retries: '0',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { code, stderr } = await outputOf(child);
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')[1]).toMatch(
    /^npm run build: the Bun of linux-arm64 could not be had from the npm registry \(npm pack @oven.*ECONNREFUSED/,
  );
});
