/** More work at once than there is memory for: some is refused, the rest is done, and nothing else suffers. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { median } from '../../bench/median.ts';
import { largeJpeg } from '../support/large-jpeg.ts';
import {
  buildTimeout,
  type LimitedOperator,
  outcomeOf,
  probe,
  startLimited,
  timeHealthy,
  toText,
} from './support/limited-operator.ts';

const MB = 1e6;
let operator: LimitedOperator;
let large: string;
let small: string;

/** As on a machine of 1 GB, and the queue short: 9.4 megapixels take 76 MB, of 268 for all. */
beforeAll(async () => {
  operator = await startLimited('--memory', '1GiB', '--max-queue-pixels', '50000000');
  large = toText(await largeJpeg({ width: 3072, height: 3072 }));
  small = toText(await largeJpeg({ width: 256, height: 256 }));
}, buildTimeout);
afterAll(() => operator?.[Symbol.asyncDispose]());

const tally = (outcomes: readonly string[], pattern: RegExp): number =>
  outcomes.filter((outcome) => pattern.test(outcome)).length;

test('24 large JPEGs at once, some are refused, the others answered; memory stays within the budgets', async () => {
  await operator.client().execute({ datas: [small] });
  const alone: number[] = [];
  while (alone.length < 20) alone.push(await timeHealthy(operator));
  const before = operator.forgetPeak();
  const probing = probe(operator);
  const outcomes = await Promise.all(
    Array.from({ length: 24 }, () => outcomeOf(operator.client().execute({ datas: [large] }))),
  );
  const times = await probing.stop();
  const refused = tally(
    outcomes,
    /^\[resource_exhausted\] .*\(--max-(queue-pixels|bytes-in-flight)\)/,
  );
  expect(refused).toBeGreaterThan(0);
  expect(tally(outcomes, /^ok$/)).toBeGreaterThanOrEqual(5);
  expect(refused + tally(outcomes, /^ok$/)).toBe(24);
  // What may be decoded at once, what may be received, and what the collector has not come to yet.
  const rise = operator.peakMb - before;
  expect(rise * MB).toBeLessThan(256 * 2 ** 20 + 128 * 2 ** 20 + 64 * MB);
  // This process is as busy as the operator, and the machine may be, too; the measurement is bench/flood.ts.
  const busy = median(times);
  expect(busy).toBeLessThan(50 + 10 * median(alone));
  console.log(
    `${refused} of 24 refused, +${rise.toFixed(0)} MB, Healthy ${busy.toFixed(1)} ms (median of ${times.length})`,
  );
}, 60_000);

test('less memory than the operator needs, a warning at the start', async () => {
  await using small = await startLimited('--memory', '300MiB');
  const line = await small.logged(({ msg }) => msg?.startsWith('300 MiB of memory') ?? false);
  expect(line).toMatchObject({ level: 'warn', msg: expect.stringContaining('up to 640 MiB') });
});

test('after the flood, everything that was held is free', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => outcomeOf(operator.client().execute({ datas: [large] }))),
  );
  expect(outcomes).toEqual(Array(5).fill('ok'));
}, 60_000);

test('calls that are given up while they wait give back what they held', async () => {
  for (let round = 0; round < 3; round++) {
    const abort = new AbortController();
    const given = Array.from({ length: 6 }, () =>
      outcomeOf(operator.client().execute({ datas: [large] }, { signal: abort.signal })),
    );
    await Bun.sleep(300);
    abort.abort();
    await Promise.all(given);
  }
  expect(await outcomeOf(operator.client().execute({ datas: [large, large, large] }))).toBe('ok');
}, 60_000);

test('a request with many images, does not keep others with one from their turn', async () => {
  const client = operator.client();
  // Many of them, so that "an image or two" and "all" differ on any machine; eleven are what the queue takes.
  const one = toText(await largeJpeg({ width: 2048, height: 2048 }));
  let over = false;
  const many = client.execute({ datas: Array<string>(11).fill(one) }).then(() => {
    over = true;
  });
  await Bun.sleep(100);
  // Each waits for an image or two of the eleven at most, not for all of them.
  let answered = 0;
  while (!over) {
    await operator.client().execute({ datas: [small] });
    answered += 1;
  }
  await many;
  console.log(`${answered} calls answered meanwhile`);
  expect(answered).toBeGreaterThan(2);
}, 60_000);
