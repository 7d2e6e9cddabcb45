/** A clock that a test moves, and a Phantoscope v0.1 in memory: for the registration loop, whose time is minutes. */
import type { Identity, OperatorClient } from '../../src/phantoscope/operator-client.ts';
import type { Clock } from '../../src/phantoscope/registration.ts';
import type { Fetch } from '../../src/phantoscope/rest.ts';

export interface FakeClock extends Clock {
  /** Moves on to the next sleeper's time. @returns by how many milliseconds; undefined: nobody sleeps */
  next(): Promise<number | undefined>;
  /** Sleeps that have been begun, in ms. */
  readonly slept: number[];
}

export function createFakeClock(): FakeClock {
  let time = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const slept: number[] = [];
  return {
    slept,
    now: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        slept.push(ms);
        const sleeper = { at: time + ms, wake: resolve };
        sleepers.push(sleeper);
        signal.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        });
      }),
    next: async () => {
      await settle();
      const first = sleepers.sort((a, b) => a.at - b.at).shift();
      if (!first) return undefined;
      const by = first.at - time;
      time = first.at;
      first.wake();
      await settle();
      return by;
    },
  };
}

/** Lets everything run that waits for no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What Flask says of an error that nobody has caught. */
const flaskPage =
  '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>500 Internal Server Error</title>\n' +
  '<h1>Internal Server Error</h1>\n<p>The server encountered an internal error</p>';

export interface FakePhantoscope {
  readonly records: Map<string, Record<string, unknown>>;
  readonly calls: string[];
  /** What every request fails with, undefined while it is up. */
  down: ((signal: AbortSignal) => Promise<Response>) | undefined;
  /** What its call to an operator at an endpoint gives, undefined where none answers. */
  identityAt: (endpoint: string) => Identity | undefined;
  readonly fetch: Fetch;
}

export function createFakePhantoscope(): FakePhantoscope {
  const answer = (body: unknown, status = 200): Response => Response.json(body, { status });
  const fake: FakePhantoscope = {
    records: new Map(),
    calls: [],
    down: undefined,
    identityAt: () => undefined,
    fetch: async (url, init) => {
      const { pathname } = new URL(url);
      fake.calls.push(`${init.method} ${pathname}`);
      init.signal?.throwIfAborted();
      if (fake.down) return fake.down(init.signal ?? new AbortController().signal);
      if (init.method === 'OPTIONS') {
        return new Response('', { headers: { allow: 'GET, HEAD, DELETE, OPTIONS' } });
      }
      if (pathname.endsWith('/regist')) {
        const { name, endpoint } = JSON.parse(String(init.body)) as Record<string, string>;
        const said = fake.identityAt(endpoint!);
        if (!said || fake.records.has(name!)) return answer({ error: 'OperatorRegistError' }, 503);
        fake.records.set(name!, stored(name!, said));
        return answer(fake.records.get(name!));
      }
      const [, , , name = '', health] = pathname.split('/');
      const record = fake.records.get(name);
      if (!record) return answer({ message: 'not exist', error: 'NotExistError' }, 404);
      if (health) {
        const alive = fake.identityAt(String(record._endpoint));
        return alive ? new Response('healthy') : new Response(flaskPage, { status: 500 });
      }
      if (init.method === 'DELETE') fake.records.delete(name);
      return answer(record);
    },
  };
  return fake;
}

/** Never answers, and ends when the caller gives up, as fetch does. */
export const hanging = (signal: AbortSignal): Promise<Response> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

export const stored = (name: string, said: Identity): Record<string, unknown> => ({
  _name: name,
  _backend: said.name,
  _type: said.type,
  _input: said.input,
  _output: said.output,
  _endpoint: said.endpoint,
  _metric_type: said.metricType,
  _dimension: Number(said.dimension),
});

export const identityOf = (endpoint: string): Identity => ({
  name: 'resnet50_encoder',
  endpoint,
  type: 'encoder',
  input: 'image',
  output: 'vector',
  dimension: '2048',
  metricType: 'L2',
});

/** An operator that answers at once, or not at all. */
export function fakeOperator(identity: Identity | undefined, trained = true): OperatorClient {
  const absent = new Error('nothing listens there');
  return {
    identity: async () => {
      if (!identity) throw absent;
      return { identity, modelId: 'resnet50_encoder-fp32-0123', trained };
    },
    healthy: async () => {
      if (!identity) throw absent;
      return 'healthy';
    },
    execute: async () => {
      throw absent;
    },
    close: () => {},
  };
}
