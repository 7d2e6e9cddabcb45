import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createByteBudget } from '../../src/image/byte-budget.ts';

const never = new AbortController().signal;

test('acquire, never more than the total is out, everyone is served, in order', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }),
    async (sizes) => {
      const budget = createByteBudget(100);
      const served: number[] = [];
      let out = 0;
      await Promise.all(
        sizes.map(async (size, i) => {
          const release = await budget.acquire(size, never);
          out += Math.min(size, 100);
          served.push(i);
          expect(out).toBeLessThanOrEqual(100);
          await new Promise((resolve) => setImmediate(resolve));
          out -= Math.min(size, 100);
          release();
          release(); // once more does nothing
        }),
      );
      expect(served).toEqual(sizes.map((_, i) => i));
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

test('acquire, aborted while waiting: rejects with the reason, and those behind move up', async () => {
  const budget = createByteBudget(100);
  const release = await budget.acquire(60, never);
  const abort = new AbortController();
  const large = budget.acquire(90, abort.signal).catch((error: Error) => error.message);
  const small = budget.acquire(40, never);
  abort.abort(new Error('gone'));
  expect(await large).toBe('gone');
  (await small)();
  release();
  expect(await budget.acquire(100, never)).toBeFunction();
});

test('acquire, aborted before: rejects', async () => {
  const acquired = createByteBudget(1).acquire(1, AbortSignal.abort(new Error('gone')));
  await expect(acquired).rejects.toThrow('gone');
});
