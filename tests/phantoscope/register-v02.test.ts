import { expect } from 'bun:test';
import { isRegistered, register, unregister } from '../../src/phantoscope/register.ts';
import { failureOf } from './failure-of.ts';
import { image, instances, record, requestFor, scene, signal } from './scene-v02.ts';

scene('stores the record and starts the instance, and a second run changes nothing', async (s) => {
  const outcome = await register(requestFor(s), { signal });
  expect(outcome).toMatchObject({ api: 'v0.2', state: 'registered', name: 'resnet50', notes: [] });
  expect(await record(s)).toMatchObject({
    name: 'resnet50',
    addr: 'psoperator/resnet50_encoder:1',
    author: 'me',
    type: 'encoder',
    description: 'vectors of pictures',
    version: '0.1.0',
  });
  const running = await instances(s);
  expect(running).toMatchObject([
    { name: 'phantoscope_resnet50_one', status: 'running', endpoint: outcome.endpoint },
  ]);
  expect(await register(requestFor(s), { signal })).toEqual({
    ...outcome,
    state: 'unchanged',
    ownRecord: false,
  });
  expect(await instances(s)).toEqual(running as never);
});

scene(
  'builds that take the instance name in a body',
  async (s) => {
    expect(await register(requestFor(s), { signal })).toMatchObject({ state: 'registered' });
    expect(await instances(s)).toMatchObject([{ name: 'phantoscope_resnet50_one' }]);
  },
  ['--instances-by-body'],
);

scene('an instance that was stopped or removed is there again after a run', async (s) => {
  const outcome = await register(requestFor(s), { signal });
  expect(await isRegistered(outcome, requestFor(s), { signal })).toBe(true);
  await s.post('/v1/operator/resnet50/instances/one/stop');
  expect(await instances(s)).toMatchObject([{ status: 'exited' }]);
  expect(await isRegistered(outcome, requestFor(s), { signal })).toBe(false);
  expect(await register(requestFor(s), { signal })).toMatchObject({
    state: 'unchanged',
    notes: [],
  });
  expect(await instances(s)).toMatchObject([{ status: 'running' }]);
  expect(await s.delete('/v1/operator/resnet50/instances/one')).toBe(200);
  expect(await register(requestFor(s), { signal })).toMatchObject({ state: 'registered' });
  expect(await instances(s)).toMatchObject([{ status: 'running' }]);
});

scene('a record whose instance is still missing is completed', async (s) => {
  const { image: addr, instance: _, ...fields } = image;
  await s.post('/v1/operator/register', { ...fields, addr, name: 'resnet50' });
  expect(await register(requestFor(s), { signal })).toMatchObject({ state: 'registered' });
  expect(await instances(s)).toMatchObject([{ status: 'running' }]);
});

scene('another tag of the image replaces record and container', async (s) => {
  const before = await register(requestFor(s), { signal });
  const next = requestFor(s, { image: 'psoperator/resnet50_encoder:2', version: '0.2.0' });
  const outcome = await register(next, { signal });
  expect(outcome.state).toBe('replaced');
  expect(outcome.endpoint).not.toBe(before.endpoint);
  expect(await record(s)).toMatchObject({ addr: 'psoperator/resnet50_encoder:2' });
  expect(await instances(s)).toMatchObject([{ status: 'running', endpoint: outcome.endpoint }]);
});

scene("another image's name is left alone, unless it is to be replaced", async (s) => {
  const { image: _, instance: __, ...fields } = image;
  const other = { ...fields, addr: 'psoperator/vgg16:latest', author: 'zilliz', name: 'resnet50' };
  await s.post('/v1/operator/register', other);
  expect(await failureOf(register(requestFor(s), { signal }))).toMatchObject({
    kind: 'taken',
    message: expect.stringMatching(/psoperator\/vgg16:latest of zilliz.*--replace/),
  });
  expect(await record(s)).toMatchObject({ addr: 'psoperator/vgg16:latest' });
  const outcome = await register(requestFor(s, {}, { replace: true }), { signal });
  expect(outcome.state).toBe('replaced');
  expect(await record(s)).toMatchObject({ addr: 'psoperator/resnet50_encoder:1' });
});

scene("a longer name's container is not taken for ours", async (s) => {
  await register(requestFor(s, {}, { name: 'resnet50_one' }), { signal });
  await register(requestFor(s), { signal });
  expect(await instances(s)).toMatchObject([
    { name: 'phantoscope_resnet50_one_one' },
    { name: 'phantoscope_resnet50_one' },
  ]);
});

scene('an image that is not there, and one that ends at once', async (s) => {
  expect(
    await failureOf(register(requestFor(s, { image: 'psoperator/none:1' }), { signal })),
  ).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(
      /pull access denied.*docker pull psoperator\/none:1.*removed again/,
    ),
  });
  expect(await s.get('/v1/operator/')).toEqual([]);
  const broken = requestFor(s, { image: 'psoperator/broken:1' }, { name: 'broken' });
  expect(await failureOf(register(broken, { signal }))).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(/is exited, not running.*docker logs phantoscope_broken_one/),
  });
});

scene('untrained weights leave nothing behind, unless they are allowed', async (s) => {
  const untrained = requestFor(s, { image: 'psoperator/untrained:1' });
  expect(await failureOf(register(untrained, { signal }))).toMatchObject({
    kind: 'untrained',
    message: expect.stringContaining('--allow-untrained'),
  });
  expect(await s.get('/v1/operator/')).toEqual([]);
  const outcome = await register({ ...untrained, allowUntrained: true }, { signal });
  expect(outcome.state).toBe('registered');
});

scene('a container out of reach is told in a note', async (s) => {
  const real = { now: () => performance.now() };
  let passed = 0;
  const clock = {
    now: () => real.now() + passed,
    sleep: async (ms: number) => {
      passed += ms;
      await Bun.sleep(Math.min(ms, 100));
    },
  };
  const connect = (): never => {
    throw new Error('never called');
  };
  const unreachable = {
    identity: () => Promise.reject(new Error('no way')),
    healthy: connect,
    execute: connect,
    close: () => {},
  };
  const outcome = await register(requestFor(s), { signal, clock, connect: () => unreachable });
  expect(outcome.notes.join()).toMatch(/cannot be reached from here.*check -e 127\.0\.1\.\d+:\d+/);
});

scene('without an image it says which option is missing', async (s) => {
  const { image: _, ...bare } = requestFor(s);
  expect(await failureOf(register(bare, { signal }))).toMatchObject({
    kind: 'options',
    message: expect.stringMatching(/v0\.2.*--docker-image/),
  });
});

scene("without a name it takes the image's", async (s) => {
  const { name: _, ...nameless } = requestFor(s);
  const outcome = await register(nameless, { signal });
  expect(outcome).toMatchObject({ name: 'resnet50_encoder', state: 'registered' });
  expect(await unregister(outcome, nameless, { signal })).toBe('removed');
});

scene('unregister removes container and record, and leaves another image alone', async (s) => {
  const request = requestFor(s);
  const outcome = await register(request, { signal });
  const other = requestFor(s, { image: 'psoperator/resnet50_encoder:2' });
  expect(await unregister(outcome, other, { signal })).toBe('elsewhere');
  expect(await unregister(outcome, request, { signal })).toBe('removed');
  expect(await s.get('/v1/operator/')).toEqual([]);
  expect(await unregister(outcome, request, { signal })).toBe('absent');
});
