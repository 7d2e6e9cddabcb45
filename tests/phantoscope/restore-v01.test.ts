/** A record of v0.1 that is to be replaced: it is not lost when the replacement fails, nor replaced for a proxy's page. */
import { expect, test } from 'bun:test';
import { register } from '../../src/phantoscope/register.ts';
import type { Outcome } from '../../src/phantoscope/registration.ts';
import type { Fetch } from '../../src/phantoscope/rest.ts';
import { failureOf } from './failure-of.ts';
import {
  createFakePhantoscope,
  type FakePhantoscope,
  fakeOperator,
  identityOf,
  stored,
} from './fakes.ts';

const older = '10.0.0.8:52001';
const newer = '10.0.0.9:52001';
const name = 'resnet50_encoder';

/** Phantoscope with the record of an operator that is alive. */
function phantoscope(): FakePhantoscope {
  const fake = createFakePhantoscope();
  fake.records.set(name, stored(name, identityOf(older)));
  fake.identityAt = identityOf;
  return fake;
}

const attempt = (
  fetch: Fetch,
  { replace = true, signal = new AbortController().signal, seen = [newer, older] } = {},
): Promise<Outcome> =>
  register(
    {
      apiUrl: 'http://10.0.0.5:5000',
      api: 'v0.1',
      endpoint: { host: '10.0.0.9', port: 52001, text: newer },
      replace,
      allowUntrained: false,
    },
    {
      signal,
      fetch,
      connect: (at) => fakeOperator(seen.includes(at) ? identityOf(at) : undefined),
    },
  );

const asksForNew = (url: string, init: RequestInit): boolean =>
  url.endsWith('/regist') && String(init.body).includes(newer);
const reset = Object.assign(new Error('the socket is closed'), { code: 'ECONNRESET' });
const endpointIn = (fake: FakePhantoscope): unknown => fake.records.get(name)?._endpoint;

test('register v0.1, a connection that breaks brings the old record back', async () => {
  const fake = phantoscope();
  const failure = await failureOf(
    attempt(async (url, init) => {
      if (asksForNew(url, init)) throw reset;
      return fake.fetch(url, init);
    }),
  );
  expect(failure).toMatchObject({
    kind: 'unreachable',
    message: expect.stringMatching(
      /closed without an answer; .* running there\? The older record, .*0\.8:52001, is back$/,
    ),
  });
  expect(endpointIn(fake)).toBe(older);
});

test('register v0.1, so does an interrupt', async () => {
  const fake = phantoscope();
  const abort = new AbortController();
  const fetch: Fetch = async (url, init) => {
    if (asksForNew(url, init)) abort.abort(new Error('interrupted'));
    return fake.fetch(url, init);
  };
  expect(await failureOf(attempt(fetch, { signal: abort.signal }))).toMatchObject({
    kind: 'interrupted',
    message: expect.stringMatching(/^interrupted\. The older record, .* is back$/),
  });
  expect(endpointIn(fake)).toBe(older);
});

test('register v0.1, an old record whose operator has gone is told as lost', async () => {
  const fake = phantoscope();
  fake.identityAt = () => undefined;
  expect(await failureOf(attempt(fake.fetch))).toMatchObject({
    message: expect.stringContaining('could not be put back: Phantoscope does not reach that'),
  });
});

test('register v0.1, an answer that is lost on its way is looked up', async () => {
  const fake = phantoscope();
  const outcome = await attempt(async (url, init) => {
    const reply = await fake.fetch(url, init);
    if (asksForNew(url, init)) throw reset;
    return reply;
  });
  expect(outcome.state).toBe('replaced');
  expect(endpointIn(fake)).toBe(newer);
});

const page = (status: number, text: string): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/html' } });
const nginx = (status: number, words: string): string =>
  `<html>\r\n<head><title>${status} ${words}</title></head>\r\n<body>\r\n<center><h1>${status} ${words}</h1></center>\r\n` +
  '<hr><center>nginx</center>\r\n</body>\r\n</html>';

for (const [what, answer, state] of [
  [
    'a 503 page of a proxy',
    () => page(503, nginx(503, 'Service Temporarily Unavailable')),
    'taken',
  ],
  ['a 500 page of a proxy', () => page(500, nginx(500, 'Internal Server Error')), 'taken'],
  [
    'a database that fails',
    () => Response.json({ message: 'm', error: 'QueryFromSQLError' }, { status: 503 }),
    'taken',
  ],
  ['JSON of something else', () => Response.json({ fault: 'x' }, { status: 503 }), 'taken'],
  [
    'an error of Phantoscope',
    () => Response.json({ message: 'm', error: 'RPCExecError' }, { status: 503 }),
    'replaced',
  ],
  [
    'an error of Flask-RESTful',
    () => Response.json({ message: 'Internal Server Error' }, { status: 500 }),
    'replaced',
  ],
  [
    'the page of a newer Flask',
    () =>
      page(
        500,
        '<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n',
      ),
    'replaced',
  ],
] as const)
  test(`register v0.1, ${what} where the health was asked for: ${state}`, async () => {
    const fake = phantoscope();
    const fetch: Fetch = (url, init) =>
      url.endsWith('/health') ? Promise.resolve(answer()) : fake.fetch(url, init);
    const result = await failureOf(
      attempt(fetch, { replace: false, seen: [newer] }).then((outcome) => {
        throw outcome;
      }),
    );
    expect(result).toMatchObject(state === 'taken' ? { kind: 'taken' } : { state });
    expect(endpointIn(fake)).toBe(state === 'taken' ? older : newer);
  });
