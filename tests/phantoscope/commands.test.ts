import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCheck } from '../../src/cli/check.ts';
import { runRegister } from '../../src/cli/register.ts';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';
import { samplePicture } from '../../src/phantoscope/sample-picture.ts';
import { eventually } from '../support/eventually.ts';
import { outputOf } from '../support/output-of.ts';
import { failureOf } from './failure-of.ts';
import { startPythonOperator, startStandin, testWithStandin } from './standin.ts';
import { startStubOperator } from './stub-operator.ts';

const signal = new AbortController().signal;

async function run(line: string): Promise<{ code: number; output: string }> {
  const { command, config } = parseCommandLine(line.split(' '), {}, ['register', 'check']);
  const lines: string[] = [];
  const print = (text: string): void => void lines.push(text);
  const context = { config, print, complain: print };
  const code = await (command === 'check' ? runCheck : runRegister)(context, signal);
  return { code, output: lines.join('\n') };
}

testWithStandin('register, 0 when registered, now or before, and 1 when refused', async () => {
  await using standin = await startStandin('v01');
  const operator = await startStubOperator();
  const line = `register --to ${standin.url} -e ${operator.endpoint}`;
  const where = `at ${standin.url} (v0.1), endpoint ${operator.endpoint}`;
  expect(await run(line)).toEqual({ code: 0, output: `registered "resnet50_encoder" ${where}` });
  expect(await run(line)).toEqual({
    code: 0,
    output: `"resnet50_encoder" is registered already ${where}`,
  });
  operator.headers = { ...operator.headers, 'x-model-trained': 'false' };
  expect(await run(line)).toEqual({
    code: 1,
    output: expect.stringMatching(/^not registered: .*untrained weights/),
  });
  expect(await run(`${line} --allow-untrained`)).toMatchObject({ code: 0 });
  await operator.stop();
  expect(await run(line)).toEqual({
    code: 1,
    output: expect.stringContaining('nothing listens at'),
  });
});

testWithStandin('register, options that do not fit end in a ConfigError', async () => {
  await using standin = await startStandin('v02');
  for (const line of ['register', `register --to ${standin.url}`]) {
    expect(await failureOf(run(line))).toMatchObject({ name: 'ConfigError' });
  }
});

test('register, an address that only this machine can call is refused without calling anybody', async () => {
  const { code, output } = await run('register --to http://192.0.2.1:5000 -e 127.0.0.1:52001');
  expect(code).toBe(1);
  expect(output).toStartWith('not registered: 127.0.0.1:52001 is a loopback address, and ');
  expect(output).toEndWith(
    'Phantoscope v0.2, which starts operators itself, needs --docker-image instead',
  );
});

testWithStandin('check, an operator in Python passes', async () => {
  await using operator = await startPythonOperator();
  const { code, output } = await run(`check -e ${operator.address}`);
  expect(output.split('\n')).toEqual([
    `Begin to test: endpoint-${operator.address}`,
    'Endpoint information: {"name":"vgg16","endpoint":"10.0.0.1:50001","type":"encoder","input":"image","output":"vector","dimension":"512","metric_type":"L2"}',
    'Endpoint health: healthy',
    'Result :',
    '  vector size: 1;  data size: 0',
    '  vector dim: 512',
    'All tests over.',
  ]);
  expect(code).toBe(0);
});

test('check, a file or a URL, 1 where it does not pass', async () => {
  const operator = await startStubOperator();
  const file = join(tmpdir(), `check-${process.pid}.png`);
  writeFileSync(file, samplePicture().slice(0, 100));
  expect(await run(`check -e ${operator.endpoint} --image ${file}`)).toMatchObject({ code: 0 });
  expect(await run(`check -e ${operator.endpoint} --url http://a/b.jpg`)).toMatchObject({
    code: 0,
  });
  expect(operator.requests).toEqual([
    { urls: [], datas: [Buffer.from(samplePicture().slice(0, 100)).toString('base64')] },
    { urls: ['http://a/b.jpg'], datas: [] },
  ]);
  operator.execute = () => ({ nums: 0 });
  expect(await run(`check -e ${operator.endpoint}`)).toMatchObject({ code: 1 });
  await operator.stop();
});

test.each([
  ['--image /no/such/file', 'no such file'],
  [`--image ${tmpdir()}`, 'that is not a file'],
  ['--image a.png --url http://a/b.png', 'only one of them'],
])('check, %s ends in a ConfigError', async (options, words) => {
  const failure = await failureOf(run(`check -e 127.0.0.1:1 ${options}`));
  expect(failure).toMatchObject({ name: 'ConfigError', message: expect.stringContaining(words) });
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`check, ${signal} ends it with a word`, async () => {
    const operator = await startStubOperator();
    operator.identityAnswer = 'hang';
    const main = join(import.meta.dir, '../../src/main.ts');
    const child = Bun.spawn([process.execPath, main, 'check', '-e', operator.endpoint], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    await eventually(() => operator.calls.Identity > 0);
    child.kill(signal);
    const said = await outputOf(child);
    expect(said).toMatchObject({ code: 1, stderr: 'resnet50-encoder: interrupted\n' });
    await operator.stop();
  });
