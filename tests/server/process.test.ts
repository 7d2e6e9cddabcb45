/** The command line as a process: what it prints, what it exits with, what signals do. */
import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { runOperator, startOperator } from '../support/operator.ts';

test('--version, --help', async () => {
  const version = await runOperator(['--version']);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(version.stdout).toMatch(/^resnet50-encoder \S+ \(commit \S+\)\n$/);
  const help = await runOperator(['--help']);
  expect(help.code).toBe(0);
  for (const words of ['serve ', 'healthcheck ', '--max-images N', 'OP_ENDPOINT', '[default: 256;'])
    expect(help.stdout).toContain(words);
  const own = await runOperator(['healthcheck', '--help']);
  expect(own.stdout).toContain('resnet50-encoder healthcheck:');
  expect(own.stdout).not.toContain('--max-images');
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
  for (const words of ['model id:', 'trained:', 'precision:', 'device:', 'threads:', 'edge:52001'])
    expect(run.stdout).toContain(words);
});

test('healthcheck, 0 where an operator serves and 1 where none does', async () => {
  await using operator = await startOperator();
  const listen = ['--listen', `127.0.0.1:${operator.port}`];
  expect(await runOperator(['healthcheck', ...listen])).toMatchObject({
    code: 0,
    stdout: 'healthy\n',
  });
  expect(await operator.stop()).toBe(0);
  const gone = await runOperator(['healthcheck', ...listen]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain('not healthy: nothing listens');
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

test.each(['SIGTERM', 'SIGINT'] as const)('%s, exit 0', async (signal) => {
  await using operator = await startOperator();
  operator.kill(signal);
  expect(await operator.exited).toBe(0);
  expect(operator.logs.at(-1)?.msg).toBe('ended');
});
