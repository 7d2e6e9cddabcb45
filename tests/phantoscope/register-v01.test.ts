import { expect } from 'bun:test';
import { connectOperator } from '../../src/phantoscope/operator-client.ts';
import { register, unregister } from '../../src/phantoscope/register.ts';
import type { Outcome, RegistrationRequest } from '../../src/phantoscope/registration.ts';
import { failureOf } from './failure-of.ts';
import { type Standin, startStandin, testWithStandin } from './standin.ts';
import { type StubOperator, startStubOperator } from './stub-operator.ts';

const signal = new AbortController().signal;

function requestFor(
  standin: Standin,
  operator: StubOperator,
  more: Partial<RegistrationRequest> = {},
): RegistrationRequest {
  const [host = '', port = ''] = operator.endpoint.split(':');
  return {
    apiUrl: standin.url,
    api: 'auto',
    endpoint: { host, port: Number(port), text: operator.endpoint },
    replace: false,
    allowUntrained: false,
    ...more,
  };
}

const stored = (standin: Standin): Promise<unknown> => standin.get('/v1/operator/resnet50_encoder');

/** A test with a fresh stand-in and operators that end with it. */
function scene(
  name: string,
  body: (standin: Standin, operators: StubOperator[]) => Promise<void>,
  hosts: readonly string[] = ['127.0.0.1'],
): void {
  testWithStandin(`register v0.1, ${name}`, async () => {
    await using standin = await startStandin('v01');
    const operators = await Promise.all(hosts.map((host) => startStubOperator({ host })));
    try {
      await body(standin, operators);
    } finally {
      await Promise.all(operators.map((operator) => operator.stop()));
    }
  });
}

const twoHosts = ['127.0.0.2', '127.0.0.3'];

scene('is stored as the operator says, and a second run changes nothing', async (standin, [op]) => {
  const request = requestFor(standin, op!);
  const expected = { api: 'v0.1', name: 'resnet50_encoder', endpoint: op!.endpoint } as const;
  expect(await register(request, { signal })).toMatchObject({ ...expected, state: 'registered' });
  const record = await stored(standin);
  expect(record).toEqual({
    _name: 'resnet50_encoder',
    _backend: 'resnet50_encoder',
    _type: 'encoder',
    _input: 'image',
    _output: 'vector',
    _endpoint: op!.endpoint,
    _metric_type: 'L2',
    _dimension: 2048,
  });
  expect(await register(request, { signal })).toMatchObject({ ...expected, state: 'unchanged' });
  expect(await stored(standin)).toEqual(record);
});

scene('under a name of its own; a dash is allowed with a note', async (standin, [op]) => {
  const outcome = await register(requestFor(standin, op!, { name: 'my-encoder' }), { signal });
  expect(outcome).toMatchObject({ name: 'my-encoder', state: 'registered' });
  expect(outcome.notes.join()).toContain('"my_encoder" is a safer name');
  expect(await standin.get('/v1/operator/my-encoder')).toMatchObject({
    _backend: 'resnet50_encoder',
  });
});

scene('a name that Phantoscope could not use is refused', async (standin, [op]) => {
  for (const name of ['a/b', '', 'x'.repeat(81), '-x', 'ä']) {
    expect(await failureOf(register(requestFor(standin, op!, { name }), { signal }))).toMatchObject(
      {
        kind: 'options',
      },
    );
  }
  expect(await standin.get('/v1/operator/')).toEqual([]);
});

scene(
  'a name of a live operator of the same kind is left alone, unless it is to be replaced',
  async (standin, [one, two]) => {
    await register(requestFor(standin, one!), { signal });
    expect(await failureOf(register(requestFor(standin, two!), { signal }))).toMatchObject({
      kind: 'taken',
      message: expect.stringMatching(/at 127\.0\.0\.2:\d+, which is alive.*--replace/),
    });
    expect(await stored(standin)).toMatchObject({ _endpoint: one!.endpoint });
    const outcome = await register(requestFor(standin, two!, { replace: true }), { signal });
    expect(outcome).toMatchObject({ state: 'replaced', endpoint: two!.endpoint });
    expect(await stored(standin)).toMatchObject({ _endpoint: two!.endpoint });
  },
  twoHosts,
);

scene(
  'a name of an operator of the same kind that is gone is taken over',
  async (standin, [one, two]) => {
    await register(requestFor(standin, one!), { signal });
    await one!.stop();
    const outcome = await register(requestFor(standin, two!), { signal });
    expect(outcome).toMatchObject({ state: 'replaced', endpoint: two!.endpoint });
  },
  twoHosts,
);

scene(
  'a name of another kind of operator stays its own, alive or gone',
  async (standin, [one, two]) => {
    one!.identity = { ...one!.identity, name: 'vgg16', dimension: '512' };
    const name = 'resnet50_encoder';
    await standin.post('/v1/operator/regist', { endpoint: one!.endpoint, name });
    const attempt = (): Promise<Outcome> => register(requestFor(standin, two!), { signal });
    expect(await failureOf(attempt())).toMatchObject({
      kind: 'taken',
      message: expect.stringContaining('vgg16 (encoder, dimension 512)'),
    });
    await one!.stop();
    expect(await failureOf(attempt())).toMatchObject({ kind: 'taken' });
    expect(await stored(standin)).toMatchObject({ _backend: 'vgg16' });
  },
  twoHosts,
);

scene('this operator with a new address replaces its old record', async (standin, [op]) => {
  await register(requestFor(standin, op!), { signal });
  const text = `localhost:${op!.port}`;
  op!.identity = { ...op!.identity, endpoint: text };
  const endpoint = { host: 'localhost', port: op!.port, text };
  const outcome = await register(requestFor(standin, op!, { endpoint }), { signal });
  expect(outcome).toMatchObject({ state: 'replaced', endpoint: text });
  expect(await stored(standin)).toMatchObject({ _endpoint: text });
});

scene('a record of this endpoint that has grown old is renewed', async (standin, [op]) => {
  op!.identity = { ...op!.identity, name: 'resnet50_encoder_old', dimension: '1024' };
  await standin.post('/v1/operator/regist', { endpoint: op!.endpoint, name: 'resnet50_encoder' });
  op!.identity = { ...op!.identity, name: 'resnet50_encoder', dimension: '2048' };
  const outcome = await register(requestFor(standin, op!), { signal });
  expect(outcome.state).toBe('replaced');
  expect(await stored(standin)).toMatchObject({ _dimension: 2048, _backend: 'resnet50_encoder' });
});

for (const old of [{ dimension: '1024' }, { metricType: 'IP' }])
  scene(`a record that differs in ${Object.keys(old)} alone is renewed`, async (standin, [op]) => {
    const now = op!.identity;
    op!.identity = { ...now, ...old };
    const name = 'resnet50_encoder';
    await standin.post('/v1/operator/regist', { endpoint: op!.endpoint, name });
    op!.identity = now;
    expect((await register(requestFor(standin, op!), { signal })).state).toBe('replaced');
    expect(await stored(standin)).toMatchObject({ _dimension: 2048, _metric_type: 'L2' });
  });

scene(
  'a name of an operator that Phantoscope reaches, and this process does not, is left alone',
  async (standin, [one, two]) => {
    await register(requestFor(standin, one!), { signal });
    const connect: typeof connectOperator = (endpoint, options) =>
      connectOperator(endpoint === one!.endpoint ? '127.0.0.1:1' : endpoint, options);
    const attempt = register(requestFor(standin, two!), { signal, connect });
    expect(await failureOf(attempt)).toMatchObject({
      kind: 'taken',
      message: expect.stringContaining('which is alive'),
    });
    expect(await stored(standin)).toMatchObject({ _endpoint: one!.endpoint });
  },
  twoHosts,
);

/** An address at which this process finds the operator and the API server does not. */
function onlySeenFromHere(standin: Standin, op: StubOperator): RegistrationRequest {
  const text = '127.0.0.1:1';
  op.identity = { ...op.identity, endpoint: text };
  return requestFor(standin, op, { endpoint: { host: '127.0.0.1', port: 1, text } });
}

scene('an endpoint that the API server cannot reach is told as that', async (standin, [op]) => {
  const request = onlySeenFromHere(standin, op!);
  const connect: typeof connectOperator = (_, options) => connectOperator(op!.endpoint, options);
  expect(await failureOf(register(request, { signal, connect }))).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(/status 503.*could not reach the operator.*a container/),
  });
  expect(await standin.get('/v1/operator/')).toEqual([]);
});

scene(
  'a replacement that fails puts the old record back',
  async (standin, [one, two]) => {
    await register(requestFor(standin, one!), { signal });
    const before = await stored(standin);
    const request = { ...onlySeenFromHere(standin, two!), replace: true };
    const connect: typeof connectOperator = (_, options) => connectOperator(two!.endpoint, options);
    expect(await failureOf(register(request, { signal, connect }))).toMatchObject({
      kind: 'refused',
    });
    expect(await stored(standin)).toEqual(before);
  },
  twoHosts,
);

scene('untrained weights only when that is allowed', async (standin, [op]) => {
  op!.headers = { ...op!.headers, 'x-model-trained': 'false' };
  expect(await failureOf(register(requestFor(standin, op!), { signal }))).toMatchObject({
    kind: 'untrained',
    message: expect.stringContaining('--allow-untrained'),
  });
  expect(await standin.get('/v1/operator/')).toEqual([]);
  const request = requestFor(standin, op!, { allowUntrained: true });
  expect(await register(request, { signal })).toMatchObject({ state: 'registered' });
});

scene(
  'unregister takes this operator away and leaves another',
  async (standin, [one, two]) => {
    const first = requestFor(standin, one!);
    const outcome = await register(first, { signal });
    await register(requestFor(standin, two!, { replace: true }), { signal });
    expect(await unregister(outcome, first, { signal })).toBe('elsewhere');
    expect(await stored(standin)).toMatchObject({ _endpoint: two!.endpoint });
    expect(await unregister(outcome, requestFor(standin, two!), { signal })).toBe('removed');
    expect(await standin.get('/v1/operator/')).toEqual([]);
    expect(await unregister(outcome, first, { signal })).toBe('absent');
  },
  twoHosts,
);

scene('the wrong --api is named as that', async (standin, [op]) => {
  const request = requestFor(standin, op!, {
    api: 'v0.2',
    name: 'x',
    image: {
      image: 'a/b:1',
      author: 'me',
      description: 'd',
      version: '1',
      type: 'encoder',
      instance: 'one',
    },
  });
  expect(await failureOf(register(request, { signal }))).toMatchObject({
    kind: 'not-phantoscope',
    message: expect.stringContaining('try --api v0.1'),
  });
});

/** A server that says yes to everything. */
scene('a server that accepts and forgets is found out', async (standin, [op]) => {
  const fetch = async (url: string): Promise<Response> =>
    url.endsWith('/regist')
      ? Response.json({ _name: 'resnet50_encoder' })
      : Response.json({ message: 'not exist', error: 'NotExistError' }, { status: 404 });
  const request = requestFor(standin, op!, { api: 'v0.1' });
  expect(await failureOf(register(request, { signal, fetch }))).toMatchObject({
    kind: 'not-phantoscope',
    message: expect.stringContaining('does not know the operator afterwards'),
  });
});

scene('a server that stores something else is found out', async (standin, [op]) => {
  let posted = false;
  const fetch = async (url: string): Promise<Response> => {
    posted ||= url.endsWith('/regist');
    const record = { _name: 'resnet50_encoder', _backend: 'vgg16', _endpoint: '10.0.0.9:1' };
    return posted
      ? Response.json(record)
      : Response.json({ error: 'NotExistError' }, { status: 404 });
  };
  const request = requestFor(standin, op!, { api: 'v0.1' });
  expect(await failureOf(register(request, { signal, fetch }))).toMatchObject({
    kind: 'not-phantoscope',
    message: expect.stringContaining('vgg16 (?, dimension ?) at 10.0.0.9:1'),
  });
});
