/** The command line as a process: what it prints, what it exits with, what signals do. */
import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { describeWeights } from '../../src/cli/info.ts';
import { explainListenError } from '../../src/cli/listen-error.ts';
import { smallPicture } from '../contract/pictures.ts';
import { startStubOperator } from '../phantoscope/stub-operator.ts';
import { eventually } from '../support/eventually.ts';
import { operatorKind, runOperator, startOperator } from '../support/operator.ts';
import { beginExecute, postJson } from './start-server.ts';

test('--version, --help', async () => {
  const version = await runOperator(['--version']);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  const model = operatorKind === 'binary' ? 'model resnet50_encoder-fp32-[0-9a-f]{16}\n' : '.*\n';
  expect(version.stdout).toMatch(new RegExp(`^resnet50-encoder \\S+ \\(commit \\S+\\)\n${model}$`));
  const help = await runOperator(['--help']);
  expect(help.code).toBe(0);
  for (const words of ['serve ', 'healthcheck ', '--max-images N', 'OP_ENDPOINT', '[default: 256;'])
    expect(help.stdout).toContain(words);
  const own = await runOperator(['healthcheck', '--help']);
  expect(own.stdout).toContain('resnet50-encoder healthcheck:');
  expect(own.stdout).not.toContain('--max-images');
  expect(await runOperator(['help', 'healthcheck'])).toEqual(own);
  for (const text of [help.stdout, own.stdout])
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('wrong options, exit 2 and all of them on stderr', async () => {
  const run = await runOperator(['--thread', '2', '--precision', 'int4'], {
    OP_ENDPOINT: ':52001',
  });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('--thread is not an option, did you mean --threads?');
  expect(run.stderr).toContain('--precision: read "int4"');
  expect(run.stderr).toContain('OP_ENDPOINT: read ":52001", which has no host');
});

test('a port that is taken, exit 1 and a sentence', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  const { port } = squatter.address() as { port: number };
  const run = await runOperator(['--listen', `127.0.0.1:${port}`, '--log-format', 'json']);
  squatter.close();
  expect(run.code).toBe(1);
  expect(run.stdout).toContain(`port ${port} is taken`);
});

test('an address that is not ours, exit 1 and a sentence', async () => {
  const run = await runOperator(['--listen', '192.0.2.1:0', '--log-format', 'json']);
  expect(run.code).toBe(1);
  expect(run.stdout).toContain('192.0.2.1 of --listen is not an address of this machine');
});

test('info, says what would be served', async () => {
  const run = await runOperator(['info', '--endpoint', 'edge:52001']);
  expect(run.code).toBe(0);
  for (const words of ['model id:', 'weights:', 'precision:', 'device:', 'threads:', 'edge:52001'])
    expect(run.stdout).toContain(words);
});

test('describeWeights, where they came from and not what they are worth', () => {
  const source = { description: 'a.h5', sha256: 'ab'.repeat(32), licence: 'unknown' };
  expect(describeWeights({ trained: true, source })).toBe(`from a.h5 (SHA-256 ${source.sha256})`);
  const made = { description: 'untrained: random, seed 1', licence: 'none' };
  expect(describeWeights({ trained: false, source: made })).toBe(
    'untrained: random, seed 1; the vectors mean nothing',
  );
});

test('healthcheck, 0 where an operator serves and 1 where none does', async () => {
  await using operator = await startOperator();
  const listen = ['--listen', `127.0.0.1:${operator.port}`];
  // A variable that means nothing is worth a word only where it may be why nobody answers.
  const mistyped = { OP_LISTN: ':80' };
  expect(await runOperator(['healthcheck', ...listen], mistyped)).toEqual({
    code: 0,
    stdout: 'healthy\n',
    stderr: '',
  });
  expect(await operator.stop()).toBe(0);
  const gone = await runOperator(['healthcheck', ...listen], mistyped);
  expect(gone.code).toBe(1);
  const [failure, warning] = gone.stderr.split('\n');
  expect(failure).toStartWith('not healthy: nothing listens');
  expect(warning).toBe(
    'warning: the variable OP_LISTN means nothing here, did you mean OP_LISTEN?',
  );
});

test('healthcheck, 1 where what answers is not healthy', async () => {
  const stub = await startStubOperator();
  for (const healthy of ['sick', '']) {
    stub.healthy = { healthy };
    const asked = await runOperator(['healthcheck', '--listen', stub.endpoint]);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toStartWith(`not healthy: the operator says "${healthy}"`);
  }
  await stub.stop();
});

test('every interface, IPv4 and IPv6, when nothing else is said', async () => {
  await using operator = await startOperator({ args: ['--listen', ':0'] });
  for (const host of ['127.0.0.1', '[::1]'])
    expect((await fetch(`http://${host}:${operator.port}/readyz`)).status).toBe(200);
});

test('a name that does not resolve is a warning', async () => {
  await using operator = await startOperator({ args: ['--endpoint', 'no-such-host.invalid:1'] });
  const line = await operator.logged((l) => l.level === 'warn' && l.host !== undefined);
  expect(line.msg).toContain('"no-such-host.invalid" of --endpoint does not resolve');
});

test.each(['0.0.0.0', '[::]', '[0::0]'])(
  '--endpoint %s:5012, a warning with the fix',
  async (host) => {
    await using operator = await startOperator({ args: ['--endpoint', `${host}:5012`] });
    const line = await operator.logged((l) => l.level === 'warn' && l.host !== undefined);
    expect(line.msg).toStartWith(`--endpoint ${host}:5012 is what Identity tells Phantoscope`);
    expect(line.msg).toContain('for example 192.168.1.20:5012');
  },
);

test.each(['SIGTERM', 'SIGINT'] as const)('%s, exit 0', async (signal) => {
  await using operator = await startOperator();
  operator.kill(signal);
  expect(await operator.exited).toBe(0);
  expect(operator.logs.at(-1)?.msg).toBe('ended');
});

test('an error outside any call is logged and ends nothing', async () => {
  // Only the fake embedder makes such an error when it is asked to.
  await using operator = await startOperator({ kind: 'fake' });
  expect((await postJson(operator.url, 'Execute', { datas: ['FAKE_STRAY'] })).status).toBe(200);
  const line = await operator.logged((l) => l.msg === 'an error outside any call');
  expect(line.err).toMatchObject({ message: 'astray' });
  expect((await postJson(operator.url, 'Healthy', {})).status).toBe(200);
});

test('a second signal, ends at once with 1', async () => {
  await using operator = await startOperator({ msPerImage: 60_000 });
  await beginExecute(operator.url, Array(200).fill(smallPicture(1)));
  operator.kill('SIGTERM');
  await operator.logged((l) => String(l.msg).startsWith('SIGTERM: '));
  operator.kill('SIGTERM');
  expect(await operator.exited).toBe(1);
});

test.each([
  ['EACCES', /^port 80 needs a right .* from 1024 up with --endpoint/],
  ['EADDRINUSE', /^port 80 is taken/],
  ['EMFILE', /^port 80 cannot be listened on: made up/],
])('explainListenError, %s', (code, words) => {
  const endpoint = { host: '127.0.0.1', port: 80, text: '127.0.0.1:80' };
  const error = Object.assign(new Error('made up'), { code });
  expect(explainListenError(error, { endpoint, listen: undefined })).toMatch(words);
});

/** Runs its arguments with a reader that takes the first line and no more; tells of both on stderr. */
const stuckReader = `
( sh -c 'echo "operator $$" >&2; exec "$@"' sh "$@"; echo "exit $?" >&2 ) |
sh -c 'head -n 1 >&2; echo "reader $$" >&2; exec sleep 60'`;

test('a log that nobody reads does not stop the calls, nor the end', async () => {
  const script = `${import.meta.dir}/../support/fake-server.ts`;
  const args = ['--listen', '127.0.0.1:0', '--log-level', 'debug', '--log-format', 'json'];
  const command = ['sh', '-c', stuckReader, 'sh', process.execPath, script, ...args];
  const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'pipe' });
  let said = '';
  const listening = (async () => {
    for await (const chunk of child.stderr) said += new TextDecoder().decode(chunk);
  })();
  const hear = (words: RegExp): Promise<number> =>
    eventually(() => {
      const number = words.exec(said)?.[1];
      return number === undefined ? undefined : Number(number);
    });
  const reader = await hear(/reader (\d+)/);
  try {
    const url = `http://127.0.0.1:${await hear(/"port":(\d+)/)}/healthz`;
    // A line for each: ten times what a pipe holds.
    for (let i = 0; i < 60; i++) {
      const replies = await Promise.all(Array.from({ length: 100 }, () => fetch(url)));
      for (const reply of replies) expect(reply.status).toBe(200);
    }
    process.kill(await hear(/operator (\d+)/), 'SIGTERM');
    expect(await hear(/exit (\d+)/)).toBe(0);
  } finally {
    process.kill(reader);
    await listening;
  }
}, 180_000);
