import { expect, test } from 'bun:test';
import type { Identity } from '../../src/phantoscope/operator-client.ts';
import type { RegistrationRequest } from '../../src/phantoscope/registration.ts';
import {
  type Registration,
  type RegistrationLoopOptions,
  startRegistration,
} from '../../src/phantoscope/registration-loop.ts';
import type { Fetch } from '../../src/phantoscope/rest.ts';
import { eventually } from '../support/eventually.ts';
import {
  createFakeClock,
  createFakePhantoscope,
  type FakeClock,
  type FakePhantoscope,
  fakeOperator,
  hanging,
  identityOf,
  settle,
  stored,
} from './fakes.ts';

const here = '10.0.0.9:52001';
const elsewhere = '10.0.0.8:52001';
const name = 'resnet50_encoder';

interface Scene {
  readonly phantoscope: FakePhantoscope;
  readonly clock: FakeClock;
  readonly lines: string[];
  /** Which operators answer, seen from everywhere. */
  readonly operators: Map<string, Identity>;
  ready: boolean;
  trained: boolean;
  start(
    request?: Partial<RegistrationRequest>,
    options?: Partial<RegistrationLoopOptions>,
  ): Registration;
}

function scene(): Scene {
  const phantoscope = createFakePhantoscope();
  const clock = createFakeClock();
  const lines: string[] = [];
  const operators = new Map([[here, identityOf(here)]]);
  phantoscope.identityAt = (endpoint) => operators.get(endpoint);
  const it: Scene = {
    phantoscope,
    clock,
    lines,
    operators,
    ready: true,
    trained: true,
    start: (request = {}, options = {}) =>
      startRegistration({
        request: {
          apiUrl: 'http://10.0.0.5:5000',
          api: 'auto',
          endpoint: { host: '10.0.0.9', port: 52001, text: here },
          replace: false,
          allowUntrained: false,
          ...request,
        },
        isReady: () => it.ready,
        log: {
          info: (_, message) => lines.push(`info ${message}`),
          warn: (_, message) => lines.push(`warn ${message}`),
        },
        clock,
        fetch: phantoscope.fetch,
        connect: (endpoint) => fakeOperator(operators.get(endpoint), it.trained),
        random: () => 1,
        ...options,
      }),
  };
  return it;
}

test('startRegistration, sends nothing before the operator is ready', async () => {
  const it = scene();
  it.ready = false;
  const registration = it.start();
  for (let turn = 0; turn < 5; turn++) await it.clock.next();
  expect(it.phantoscope.calls).toEqual([]);
  it.ready = true;
  await it.clock.next();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: here });
  expect(it.lines).toEqual(['info registered with Phantoscope']);
  expect(registration.outcome).toMatchObject({ api: 'v0.1', name, endpoint: here });
  await registration.stop();
  expect(it.phantoscope.records.has(name)).toBe(true);
});

test('startRegistration, waits longer and longer for a Phantoscope that is still starting', async () => {
  const it = scene();
  it.phantoscope.down = () => Promise.reject(new Error('Unable to connect'));
  const registration = it.start();
  const waits: (number | undefined)[] = [];
  for (let turn = 0; turn < 8; turn++) waits.push(await it.clock.next());
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  expect(it.lines).toEqual([expect.stringMatching(/^warn not registered: .*Unable to connect/)]);
  it.phantoscope.down = async () => new Response('<h1>502 Bad Gateway</h1>', { status: 502 });
  await it.clock.next();
  expect(it.lines[1]).toContain('502 Bad Gateway');
  it.phantoscope.down = undefined;
  await it.clock.next();
  expect(it.lines[2]).toBe('info registered with Phantoscope');
  await registration.stop();
});

test('startRegistration, several operators do not knock at the same moment', async () => {
  const it = scene();
  it.phantoscope.down = () => Promise.reject(new Error('Unable to connect'));
  const registration = it.start({}, { random: () => 0 });
  expect(await it.clock.next()).toBe(500);
  await registration.stop();
});

test('startRegistration, looks every 30 s and is quiet while all is well', async () => {
  const it = scene();
  const registration = it.start();
  expect(await it.clock.next()).toBe(30_000);
  expect(await it.clock.next()).toBe(30_000);
  expect(it.lines).toEqual(['info registered with Phantoscope']);
  expect(it.phantoscope.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  expect(it.phantoscope.calls.slice(-2)).toEqual(Array(2).fill(`GET /v1/operator/${name}`));
  await registration.stop();
});

test('startRegistration, registers again when Phantoscope has lost it', async () => {
  const it = scene();
  const registration = it.start();
  await settle();
  it.phantoscope.records.clear();
  await it.clock.next();
  expect(it.phantoscope.records.has(name)).toBe(true);
  expect(it.lines).toEqual([
    'info registered with Phantoscope',
    'info registered with Phantoscope again',
  ]);
  await registration.stop();
});

test('startRegistration, a Phantoscope that comes back with its records is told once', async () => {
  const it = scene();
  const registration = it.start();
  await settle();
  it.phantoscope.down = () => Promise.reject(new Error('Unable to connect'));
  for (let turn = 0; turn < 4; turn++) await it.clock.next();
  it.phantoscope.down = undefined;
  for (let turn = 0; turn < 4; turn++) await it.clock.next();
  expect(it.lines.map((line) => line.split(':')[0])).toEqual([
    'info registered with Phantoscope',
    'warn not registered',
    'info registered with Phantoscope',
  ]);
  await registration.stop();
});

test('startRegistration, --replace counts for the first time only', async () => {
  const it = scene();
  it.operators.set(elsewhere, identityOf(elsewhere));
  it.phantoscope.records.set(name, stored(name, identityOf(elsewhere)));
  const registration = it.start({ replace: true });
  await settle();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: here });
  it.phantoscope.records.set(name, stored(name, identityOf(elsewhere)));
  for (let turn = 0; turn < 4; turn++) await it.clock.next();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: elsewhere });
  expect(it.lines).toEqual([
    'info registered with Phantoscope',
    expect.stringMatching(/^warn not registered: .*which is alive/),
  ]);
  it.operators.delete(elsewhere);
  await it.clock.next();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: here });
  await registration.stop();
});

test('startRegistration, untrained weights are never registered', async () => {
  const it = scene();
  it.trained = false;
  const registration = it.start();
  for (let turn = 0; turn < 6; turn++) await it.clock.next();
  expect(it.phantoscope.records.size).toBe(0);
  expect(it.lines).toEqual([expect.stringContaining('untrained weights')]);
  await registration.stop();
});

test('stop, unregisters when that was asked for', async () => {
  const it = scene();
  const registration = it.start({}, { unregisterOnExit: true });
  await settle();
  await Promise.all([registration.stop(), registration.stop()]);
  expect(it.phantoscope.records.size).toBe(0);
  expect(it.lines.at(-1)).toBe('info unregistered from Phantoscope');
  expect(it.phantoscope.calls.filter((call) => call.startsWith('DELETE'))).toHaveLength(1);
});

test('stop, leaves a record that leads elsewhere by now', async () => {
  const it = scene();
  const registration = it.start({}, { unregisterOnExit: true });
  await settle();
  it.phantoscope.records.set(name, stored(name, identityOf(elsewhere)));
  await registration.stop();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: elsewhere });
  expect(it.lines.at(-1)).toContain('leads elsewhere');
});

test('stop, a dead Phantoscope holds up the end for its limit only', async () => {
  const it = scene();
  const registration = it.start({}, { unregisterOnExit: true, exitTimeoutMs: 100 });
  await settle();
  it.phantoscope.down = hanging;
  const start = performance.now();
  await registration.stop();
  expect(performance.now() - start).toBeLessThan(2000);
  expect(it.lines.at(-1)).toContain('not unregistered');
});

test('stop, waits for a registration under way, so that it is taken back', async () => {
  const it = scene();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const registration = it.start(
    {},
    {
      unregisterOnExit: true,
      fetch: async (url, init) => {
        if (url.endsWith('/regist')) await held;
        return it.phantoscope.fetch(url, init);
      },
    },
  );
  await settle();
  const stopped = registration.stop();
  release();
  await stopped;
  expect(it.phantoscope.calls.some((call) => call.startsWith('POST'))).toBe(true);
  expect(it.phantoscope.records.size).toBe(0);
});

/** A Phantoscope that answers no registration; `store` lets the last one come to pass all the same. */
function silent(it: Scene): { fetch: Fetch; posted: () => boolean; store: () => Promise<unknown> } {
  let post: Parameters<Fetch> | undefined;
  return {
    fetch: (url, init) => {
      if (!url.endsWith('/regist')) return it.phantoscope.fetch(url, init);
      post = [url, init];
      return hanging(init.signal!);
    },
    posted: () => post !== undefined,
    store: () => it.phantoscope.fetch(post![0], { ...post![1], signal: null }),
  };
}

test('stop, a registration that is stored after its answer is no longer awaited is taken back', async () => {
  const it = scene();
  const { fetch, posted, store } = silent(it);
  const looks = (): number => it.phantoscope.calls.filter((call) => call.startsWith('GET')).length;
  const registration = it.start({}, { fetch, unregisterOnExit: true, exitTimeoutMs: 2000 });
  await eventually(posted);
  const before = looks();
  const stopped = registration.stop();
  await eventually(() => looks() > before);
  await store();
  await stopped;
  expect(it.phantoscope.records.size).toBe(0);
  expect(it.lines).toEqual(['info unregistered from Phantoscope']);
});

test('stop, a registration of which nothing is known is told, and how to remove it', async () => {
  const it = scene();
  const { fetch, posted } = silent(it);
  const registration = it.start({}, { fetch, unregisterOnExit: true, exitTimeoutMs: 100 });
  await eventually(posted);
  const start = performance.now();
  await registration.stop();
  expect(performance.now() - start).toBeLessThan(2000);
  expect(it.lines).toEqual([
    expect.stringMatching(
      /^warn not unregistered: .* may register "resnet50_encoder" yet; .*"curl -X DELETE http:\/\/10\.0\.0\.5:5000\/v1\/operator\/resnet50_encoder"$/,
    ),
  ]);
});

test('stop, an answer that had not come in time is not forgotten', async () => {
  const it = scene();
  const lost = new Error('The socket connection was closed unexpectedly');
  const registration = it.start(
    {},
    {
      unregisterOnExit: true,
      exitTimeoutMs: 100,
      fetch: async (url, init) => {
        if (url.endsWith('/regist')) throw lost;
        return it.phantoscope.fetch(url, init);
      },
    },
  );
  await settle();
  await registration.stop();
  expect(it.lines).toEqual([
    expect.stringContaining('closed unexpectedly'),
    expect.stringContaining('may register "resnet50_encoder" yet'),
  ]);
});

test('stop, a name that went back to another while the answer was missing is no longer waited for', async () => {
  const it = scene();
  const { fetch, posted } = silent(it);
  const registration = it.start({}, { fetch, unregisterOnExit: true, exitTimeoutMs: 1000 });
  await eventually(posted);
  it.phantoscope.records.set(name, stored(name, identityOf(elsewhere)));
  await registration.stop();
  expect(it.lines).toEqual(['warn not unregistered: the name leads elsewhere by now']);
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: elsewhere });
});

test('stop, a record that is gone already is told as that', async () => {
  const it = scene();
  const registration = it.start({}, { unregisterOnExit: true });
  await settle();
  it.phantoscope.records.clear();
  await registration.stop();
  expect(it.lines.at(-1)).toBe(
    'warn not unregistered: nothing is registered under the name by now',
  );
});

test('stop, what fails because the operator ends is no complaint', async () => {
  const it = scene();
  let fail: (() => void) | undefined;
  const gone = new Error('nothing listens there');
  const identity = () =>
    new Promise<never>((_, reject) => {
      fail = () => reject(gone);
    });
  const connect = () => ({ ...fakeOperator(undefined), identity });
  const registration = it.start({}, { connect, unregisterOnExit: true });
  await eventually(() => fail !== undefined);
  const stopped = registration.stop();
  fail?.();
  await stopped;
  expect(it.lines).toEqual([]);
});

test('stop, a replacement under way is undone, and that is told', async () => {
  const it = scene();
  it.operators.set(elsewhere, identityOf(elsewhere));
  it.phantoscope.records.set(name, stored(name, identityOf(elsewhere)));
  let posted = false;
  const fetch: Fetch = (url, init) => {
    const now = url.endsWith('/regist') && String(init.body).includes(here);
    posted ||= now;
    return now ? hanging(init.signal!) : it.phantoscope.fetch(url, init);
  };
  const registration = it.start({ replace: true }, { fetch });
  await eventually(() => posted);
  await registration.stop();
  expect(it.phantoscope.records.get(name)).toMatchObject({ _endpoint: elsewhere });
  expect(it.lines).toEqual([
    expect.stringMatching(
      /^warn not registered: the operator ends\. The older record, .* is back$/,
    ),
  ]);
});

test('stop, before anything was sent', async () => {
  const it = scene();
  it.ready = false;
  const registration = it.start({}, { unregisterOnExit: true });
  await settle();
  await registration.stop();
  expect(it.phantoscope.calls).toEqual([]);
  expect(it.lines).toEqual([]);
});

test('stop, cuts a request that hangs when nothing is to be taken back', async () => {
  const it = scene();
  it.phantoscope.down = hanging;
  const registration = it.start();
  await settle();
  const start = performance.now();
  await registration.stop();
  expect(performance.now() - start).toBeLessThan(1000);
});
