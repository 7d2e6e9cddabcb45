/** A start that is sure to fail, from the sources with the real embedder: exit 2, a sentence, and nothing has listened. */
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const main = join(import.meta.dir, '../../src/main.ts');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const serve = (...args: string[]): Ended => serveWith({}, ...args);

function serveWith(env: Record<string, string>, ...args: string[]): Ended {
  const fixed = ['serve', '--listen', '127.0.0.1:0', '--log-format', 'json'];
  const run = Bun.spawnSync([process.execPath, main, ...fixed, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  return { code: run.exitCode, stdout: run.stdout.toString(), stderr: run.stderr.toString() };
}

test.each([
  [[], 'no model: give one with --model FILE'],
  [['--model', '/nowhere/a.onnx'], '--model /nowhere/a.onnx: there is no such file'],
  [['--model', smallTestModel(), '--precision', 'int8'], '--precision int8: the model'],
  [['--model', smallTestModel(), '--url-allow', '*.example'], '--url-allow: "*.example" is not'],
  [['--model', smallTestModel(), '--threads', '256'], '--threads 256: at most'],
  [['--register', 'http://127.0.0.1:1', '--api', 'v0.2'], '--api v0.2 needs --docker-image'],
])('serve %j, refused before it listens', (args, words) => {
  const { code, stdout, stderr } = serve(...args);
  expect(stderr).toContain(words);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test.each([
  [{ OP_MODEL: '/nowhere/a.onnx' }, 'OP_MODEL=/nowhere/a.onnx: there is no such file'],
  [{ OP_MODEL: smallTestModel(), OP_PRECISION: 'int8' }, 'OP_PRECISION=int8: the model'],
  [{ OP_MODEL: smallTestModel(), OP_THREADS: '256' }, 'OP_THREADS=256: at most'],
  [{ OP_REGISTER: 'http://127.0.0.1:1', OP_API: 'v0.2' }, 'OP_REGISTER with OP_API=v0.2 needs'],
])('serve with %j, the refusal names the variable', (env, words) => {
  const { code, stdout, stderr } = serveWith(env);
  expect(stderr).toContain(`resnet50-encoder: ${words}`);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('a model that contradicts its manifest, exit 2 and a sentence without a stack trace', () => {
  const folder = testFolder('contradiction');
  const onnx = join(folder, 'resnet50.onnx');
  const bytes = readFileSync(smallTestModel());
  const manifest = JSON.parse(
    readFileSync(join(dirname(smallTestModel()), 'resnet50.json'), 'utf8'),
  );
  writeFileSync(onnx, bytes);
  writeFileSync(join(folder, 'resnet50.json'), JSON.stringify({ ...manifest, dimension: 100 }));
  const { code, stdout, stderr } = serve('--model', onnx);
  expect(stderr).toContain('(dimension), but it is 128: prepare the model again');
  expect(`${stdout}${stderr}`).not.toContain('"stack"');
  expect(code).toBe(2);
});
