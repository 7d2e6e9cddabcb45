/** `serve --register` with an image, beside others that do the same: nobody's container may be taken away again and again. */
import { expect } from 'bun:test';
import { realClock } from '../../src/phantoscope/register.ts';
import type { RegistrationRequest } from '../../src/phantoscope/registration.ts';
import {
  type Registration,
  type RegistrationLoopOptions,
  startRegistration,
} from '../../src/phantoscope/registration-loop.ts';
import { eventually } from '../support/eventually.ts';
import { hanging } from './fakes.ts';
import { instances, record, requestFor, scene } from './scene-v02.ts';

interface Loop {
  readonly registration: Registration;
  readonly lines: string[];
  /** Method and path of every request. */
  readonly calls: string[];
}

function start(request: RegistrationRequest, options: Partial<RegistrationLoopOptions> = {}): Loop {
  const [lines, calls]: [string[], string[]] = [[], []];
  const registration = startRegistration({
    request,
    isReady: () => true,
    log: {
      info: (_, message) => lines.push(`info ${message}`),
      warn: (_, message) => lines.push(`warn ${message}`),
    },
    // A minute in a second.
    clock: { now: realClock.now, sleep: (ms, signal) => realClock.sleep(ms / 60, signal) },
    checkEveryMs: 1000,
    random: () => 0,
    ...options,
    fetch: (url, init) => {
      calls.push(`${init.method} ${new URL(url).pathname}`);
      return (options.fetch ?? fetch)(url, init);
    },
  });
  return { registration, lines, calls };
}

const changing = ({ calls }: Loop): string[] => calls.filter((call) => /^(POST|DELETE)/.test(call));

/** It has looked a few times more. */
const looks = ({ calls }: Loop): Promise<boolean> => {
  const before = calls.length;
  return eventually(() => calls.length > before + 6);
};

scene('two that describe one image differently leave each other alone', async (s) => {
  const one = start(requestFor(s));
  await eventually(() => one.lines.includes('info registered with Phantoscope'));
  const two = start(requestFor(s, { description: 'other' }));
  await eventually(() => two.lines.includes('info registered with Phantoscope'));
  const before = [await record(s), await instances(s)];
  const [mine, theirs] = [changing(one), changing(two)];
  await eventually(() => one.lines.length > 1);
  await Promise.all([looks(one), looks(two)]);
  expect(one.lines.slice(1)).toEqual([
    expect.stringMatching(
      /^warn not registered: the name "resnet50" .* belongs to another record of that image, with description "other" instead of/,
    ),
  ]);
  expect(two.lines).toHaveLength(1);
  expect([changing(one), changing(two)]).toEqual([mine, theirs]);
  expect([await record(s), await instances(s)]).toEqual(before);
  await Promise.all([one.registration.stop(), two.registration.stop()]);
});

scene('an image that will not do is tried in place of another once', async (s) => {
  const one = start(requestFor(s));
  await eventually(() => one.lines.includes('info registered with Phantoscope'));
  await one.registration.stop();
  const two = start(requestFor(s, { image: 'psoperator/resnet50_encoder:typo' }));
  await eventually(() => two.lines.length > 0);
  expect(two.lines[0]).toMatch(/pull access denied.* is back, and its instance runs at/);
  const before = [await record(s), await instances(s)];
  const sent = changing(two);
  await eventually(() => two.lines.length > 1);
  await looks(two);
  expect(two.lines[1]).toContain('with addr "psoperator/resnet50_encoder:1" instead of "');
  expect(changing(two)).toEqual(sent);
  expect([await record(s), await instances(s)]).toEqual(before);
  await two.registration.stop();
});

scene('a record of its own is taken back, though the answer to it was lost', async (s) => {
  let lost = false;
  const { lines, registration } = start(requestFor(s), {
    unregisterOnExit: true,
    fetch: async (url, init) => {
      const reply = await fetch(url, init);
      if (lost || !url.endsWith('/register') || init.method !== 'POST') return reply;
      lost = true;
      throw new Error('lost');
    },
  });
  await eventually(() => lines.includes('info registered with Phantoscope'));
  await registration.stop();
  expect(lines[0]).toContain('lost');
  expect(lines.at(-1)).toBe('info unregistered from Phantoscope');
  expect(await s.get('/v1/operator/')).toEqual([]);
});

scene('a container that may still be started when the operator ends is told of', async (s) => {
  let asked = false;
  const { lines, registration } = start(requestFor(s), {
    unregisterOnExit: true,
    exitTimeoutMs: 2000,
    fetch: (url, init) => {
      const now = url.endsWith('/instances/one') && init.method === 'POST';
      asked ||= now;
      return now ? hanging(init.signal!) : fetch(url, init);
    },
  });
  await eventually(() => asked);
  await registration.stop();
  expect(await s.get('/v1/operator/')).toEqual([]);
  expect(lines).toEqual([
    'info unregistered from Phantoscope',
    expect.stringMatching(/^warn .* "docker rm -f phantoscope_resnet50_one"$/),
  ]);
});
