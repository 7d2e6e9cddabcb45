/** A name of v0.2 that is in use: what a new registration changes, and what comes back where it fails. */
import { expect } from 'bun:test';
import type { PhantoscopeError } from '../../src/phantoscope/failure.ts';
import { register, unregister } from '../../src/phantoscope/register.ts';
import type { Fetch } from '../../src/phantoscope/rest.ts';
import { failureOf } from './failure-of.ts';
import { image, instances, record, requestFor, scene, signal } from './scene-v02.ts';
import type { Standin } from './standin.ts';

const old = 'psoperator/resnet50_encoder:1';

/** Behind the client's back. */
function store(standin: Standin, addr: string): Promise<unknown> {
  const { image: _, instance: __, ...fields } = image;
  return standin.post('/v1/operator/register', { ...fields, addr, name: 'resnet50' });
}

const back = new RegExp(
  `The older record, of ${old}, is back, and its instance runs at 127\\.0\\.1\\.\\d+:\\d+, a new container`,
);

for (const [what, tag, kind] of [
  ['a tag that is not there', 'psoperator/resnet50_encoder:typo', 'refused'],
  ['an image that ends at once', 'psoperator/resnet50_encoder:broken', 'refused'],
  ['untrained weights', 'psoperator/resnet50_encoder:dev', 'untrained'],
] as const)
  scene(`${what} does not cost the registration that works`, async (s) => {
    await register(requestFor(s), { signal });
    const before = await record(s);
    const attempt = register(requestFor(s, { image: tag }), { signal });
    const failure = (await failureOf(attempt)) as PhantoscopeError;
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(back);
    const logIsGone = `is gone with its log: "docker run --rm ${tag}"`;
    expect(failure.message.includes(logIsGone)).toBe(tag.endsWith('broken'));
    expect(await record(s)).toEqual({ ...(before as object), metadata: expect.anything() });
    expect(await instances(s)).toMatchObject([{ status: 'running' }]);
    expect(await register(requestFor(s), { signal })).toMatchObject({ state: 'unchanged' });
  });

for (const [when, path] of [
  ['is about to store its record', '/v1/operator/register'],
  ['is about to start its container', '/v1/operator/resnet50/instances/one'],
] as const)
  scene(`an interrupt when it ${when} brings the old one back`, async (s) => {
    const { endpoint } = await register(requestFor(s), { signal });
    const abort = new AbortController();
    const cutting: Fetch = async (url, init) => {
      const now = init.method === 'POST' && new URL(url).pathname === path;
      if (now) abort.abort(new Error('interrupted'));
      init.signal?.throwIfAborted();
      return fetch(url, init);
    };
    const next = requestFor(s, { image: 'psoperator/resnet50_encoder:2' });
    const attempt = register(next, { signal: abort.signal, fetch: cutting });
    expect(await failureOf(attempt)).toMatchObject({
      kind: 'interrupted',
      message: expect.stringMatching(/^interrupted\. The older record, of \S+, is back, and its/),
    });
    expect(await record(s)).toMatchObject({ addr: old });
    const [instance, ...more] = await instances(s);
    expect([instance?.status, more]).toEqual(['running', []]);
    expect(instance?.endpoint === endpoint).toBe(path.endsWith('register'));
  });

scene('another description changes the record and not the container', async (s) => {
  await register(requestFor(s), { signal });
  const before = await instances(s);
  const outcome = await register(requestFor(s, { description: 'better vectors' }), { signal });
  expect(outcome).toMatchObject({ state: 'replaced', endpoint: before[0]?.endpoint, notes: [] });
  expect(await record(s)).toMatchObject({ description: 'better vectors' });
  expect(await instances(s)).toEqual(before);
});

scene('what has had the name once does not take it from another record', async (s) => {
  await register(requestFor(s), { signal });
  const before = [await record(s), await instances(s)];
  const later = requestFor(s, { description: 'other' }, { onceRegistered: true });
  expect(await failureOf(register(later, { signal }))).toMatchObject({
    kind: 'taken',
    message: expect.stringContaining('description "vectors of pictures" instead of "other"'),
  });
  expect([await record(s), await instances(s)]).toEqual(before);
});

scene(
  'containers under other instances are told of, as they stay with the old image',
  async (s) => {
    await register(requestFor(s), { signal });
    await register(requestFor(s, { instance: 'two' }), { signal });
    const next = requestFor(s, { image: 'psoperator/resnet50_encoder:2' });
    const { notes } = await register(next, { signal });
    expect(notes).toEqual([
      expect.stringMatching(/stay as they are, from \S+encoder:1: two\. Delete/),
    ]);
  },
);

scene('a container that was left over without a record is made anew', async (s) => {
  await store(s, 'else/vgg16:1');
  await s.post('/v1/operator/resnet50/instances/one');
  const [left] = await instances(s);
  await s.delete('/v1/operator/resnet50');
  const outcome = await register(requestFor(s), { signal });
  expect(outcome.notes).toEqual([
    expect.stringContaining('phantoscope_resnet50_one was left over'),
  ]);
  const [now] = await instances(s);
  expect(now?.id).not.toBe(left?.id);
});

scene('an image of another program is refused, and leaves nothing behind', async (s) => {
  const attempt = register(requestFor(s, { image: 'else/vgg16:1' }), { signal });
  expect(await failureOf(attempt)).toMatchObject({
    kind: 'endpoint',
    message: expect.stringMatching(/is "vgg16" \(encoder\), and not this program.*removed again/),
  });
  expect(await s.get('/v1/operator/')).toEqual([]);
  await store(s, old);
  expect(await instances(s)).toEqual([]);
});

scene('a container of another program under the right record is refused, and left', async (s) => {
  await store(s, 'else/vgg16:1');
  await s.post('/v1/operator/resnet50/instances/one');
  await s.delete('/v1/operator/resnet50');
  await store(s, old);
  const before = await instances(s);
  expect(await failureOf(register(requestFor(s), { signal }))).toMatchObject({
    kind: 'endpoint',
    message: expect.stringMatching(/remove that container, or give another --instance$/),
  });
  expect(await instances(s)).toMatchObject([{ id: before[0]?.id, status: 'running' }]);
});

scene('unregister leaves a record that another instance or another process needs', async (s) => {
  const one = requestFor(s);
  const two = requestFor(s, { instance: 'two' });
  const [first, second] = [await register(one, { signal }), await register(two, { signal })];
  expect(await unregister(first, one, { signal })).toBe('removed');
  expect(await record(s)).toMatchObject({ addr: old });
  expect(await instances(s)).toMatchObject([
    { name: 'phantoscope_resnet50_two', status: 'running' },
  ]);
  expect(second.ownRecord).toBe(false);
  expect(await unregister(second, two, { signal })).toBe('removed');
  expect(await record(s)).toMatchObject({ addr: old });
  expect(await instances(s)).toEqual([]);
});

scene('unregister leaves a container whose record is another by now', async (s) => {
  const outcome = await register(requestFor(s), { signal });
  await register(requestFor(s, { description: 'other' }), { signal });
  expect(await unregister(outcome, requestFor(s), { signal })).toBe('elsewhere');
  expect(await instances(s)).toMatchObject([{ status: 'running' }]);
});
