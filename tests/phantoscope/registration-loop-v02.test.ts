/** `serve --register` with an image, beside others that do the same: nobody's container may be taken away again and again. */
import { expect } from 'bun:test';
import { realClock } from '../../src/phantoscope/register.ts';
import type { RegistrationRequest } from '../../src/phantoscope/registration.ts';
import { type Registration, startRegistration } from '../../src/phantoscope/registration-loop.ts';
import { eventually } from '../support/eventually.ts';
import { instances, record, requestFor, scene } from './scene-v02.ts';

interface Loop {
  readonly registration: Registration;
  readonly lines: string[];
  /** Method and path of every request. */
  readonly calls: string[];
}

function start(request: RegistrationRequest): Loop {
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
    fetch: (url, init) => {
      calls.push(`${init.method} ${new URL(url).pathname}`);
      return fetch(url, init);
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
