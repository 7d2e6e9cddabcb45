import { expect, test } from 'bun:test';
import { untilAborted } from '../../src/server/limits/until-aborted.ts';

const never = new Promise<never>(() => {});

test('untilAborted, a signal that has fired before is noticed', async () => {
  const gone = new Error('gone');
  const outcome = untilAborted(never, AbortSignal.abort(gone)).catch((error) => error);
  expect(await Promise.race([outcome, Bun.sleep(1000)])).toBe(gone);
});

test('untilAborted, the outcome of the promise where that comes first', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(5), signal)).toBe(5);
  await expect(untilAborted(Promise.reject(new Error('boom')), signal)).rejects.toThrow('boom');
});
