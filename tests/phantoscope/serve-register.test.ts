/** The whole program, or the executable (the default), beside the stand-in of Phantoscope v0.1. */
import { expect } from 'bun:test';
import { beginExecute } from '../server/start-server.ts';
import { testUnless } from '../support/data.ts';
import { freeAddress } from '../support/free-address.ts';
import { type Operator, runOperator, startOperator } from '../support/operator.ts';
import { startStandin, testWithStandin } from './standin.ts';

/** The tests' operator serves untrained weights or the tests' own: that is not the question here. */
const serveAt = (endpoint: string, args: readonly string[]): Promise<Operator> =>
  startOperator({
    args: ['--endpoint', endpoint, '--listen', endpoint, '--allow-untrained', ...args],
  });

const withBoth = (name: string, body: () => Promise<unknown>): void => testWithStandin(name, body);

const registeredLine = (line: { msg?: string }): boolean =>
  line.msg === 'registered with Phantoscope';

withBoth('serve --register, waits for Phantoscope, registers, unregisters', async () => {
  const [endpoint, api] = [await freeAddress(), await freeAddress()];
  const args = ['--register', `http://${api}`, '--unregister-on-exit'];
  await using operator = await serveAt(endpoint, args);
  await operator.logged((line) => line.msg?.includes('nothing listens there') ?? false);
  await using standin = await startStandin('v01', ['--listen', api]);
  await operator.logged(registeredLine);
  expect(await standin.get('/v1/operator/')).toMatchObject([
    { _name: 'resnet50_encoder', _endpoint: endpoint, _type: 'encoder', _dimension: 2048 },
  ]);
  expect(await operator.stop()).toBe(0);
  expect(await standin.get('/v1/operator/')).toEqual([]);
});

testWithStandin(
  'serve --register, leaves its record when it ends, and finds it again',
  async () => {
    const endpoint = await freeAddress();
    await using standin = await startStandin('v01');
    for (const state of ['registered', 'unchanged']) {
      await using operator = await serveAt(endpoint, ['--register', standin.url]);
      expect(await operator.logged(registeredLine)).toMatchObject({ state });
      expect(await operator.stop()).toBe(0);
    }
    expect(await standin.get('/v1/operator/')).toHaveLength(1);
  },
);

testWithStandin(
  'serve --unregister-on-exit, takes its record back before running calls are finished',
  async () => {
    const endpoint = await freeAddress();
    await using standin = await startStandin('v01');
    const args = ['--endpoint', endpoint, '--listen', endpoint, '--register', standin.url];
    await using operator = await startOperator({
      kind: 'fake',
      args: [...args, '--allow-untrained', '--unregister-on-exit'],
    });
    await operator.logged(registeredLine);
    const { call } = await beginExecute(operator.url, ['FAKE_DELAY:1500']);
    operator.kill('SIGTERM');
    const first = await Promise.race([
      call.then(() => 'answered'),
      operator.logged(({ msg }) => msg === 'unregistered from Phantoscope').then(() => 'gone'),
    ]);
    expect(first).toBe('gone');
    expect(await standin.get('/v1/operator/')).toEqual([]);
    expect(await call).toMatchObject({ nums: 1n });
    expect(await operator.exited).toBe(0);
  },
);

withBoth('register and check, against the running program', async () => {
  const endpoint = await freeAddress();
  await using standin = await startStandin('v01');
  await using operator = await serveAt(endpoint, []);
  expect(operator.port).toBe(Number(endpoint.split(':')[1]));
  const checked = await runOperator(['check', '-e', endpoint]);
  expect(checked.stdout).toContain('vector size: 1;  data size: 0\n  vector dim: 2048\n');
  expect(checked.stdout.trimEnd().split('\n').at(-1)).toBe('All tests over.');
  expect(checked.code).toBe(0);
  const command = ['register', '--to', standin.url];
  const refused = await runOperator(command, { OP_ENDPOINT: endpoint });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('serves untrained weights');
  expect(await standin.get('/v1/operator/')).toEqual([]);
  const done = await runOperator([...command, '--allow-untrained'], { OP_ENDPOINT: endpoint });
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toContain(`registered "resnet50_encoder" at ${standin.url} (v0.1)`);
  const health = await fetch(`${standin.url}/v1/operator/resnet50_encoder/health`);
  expect(await health.text()).toBe('healthy');
  await operator.stop();
});

testUnless(undefined, 'register and check, exit codes', async () => {
  const nobody = await freeAddress();
  const refused = await runOperator(['register', '--to', `http://${nobody}`, '-e', nobody]);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toStartWith('not registered: ');
  expect(await runOperator(['register'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('register needs --to'),
  });
  expect(await runOperator(['check', '-e', nobody])).toMatchObject({ code: 1 });
  expect(await runOperator(['check', '-e', 'nonsense'])).toMatchObject({ code: 2 });
});
