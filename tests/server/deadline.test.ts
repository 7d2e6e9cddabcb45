import { expect, test } from 'bun:test';
import { createDeadline, untilAborted } from '../../src/server/calls/deadline.ts';

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

test('createDeadline, fires with its own reason, with that of a source, and not once it is cleared', async () => {
  const late = createDeadline(20);
  const cleared = createDeadline(20);
  const source = new AbortController();
  const other = createDeadline(60_000, source.signal);
  cleared.clear();
  source.abort('given up');
  expect(other.signal.reason).toBe('given up');
  other.clear();
  await Bun.sleep(60);
  expect(late.signal.reason).toMatchObject({ code: 'DEADLINE' });
  expect(cleared.signal.aborted).toBe(false);
});
