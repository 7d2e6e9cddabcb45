import { expect, test } from 'bun:test';
import { atMost } from '../../src/at-most.ts';
import { leastPatienceMs, patienceFor } from '../../src/inference/engine-patience.ts';
import { createStallWatch } from '../../src/stall-watch.ts';

const never = new Promise<never>(() => {});

test('stall watch, tells once when nothing has come back for long', async () => {
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const watch = createStallWatch(40, ({ message }) => {
    told.push(message);
    first.resolve();
  });
  void watch(never);
  void watch(never);
  await first.promise;
  await Bun.sleep(80);
  expect(told).toEqual(['it hangs: nothing has come back for 0.0 s']);
});

test('stall watch, has the outcome of what it watches', async () => {
  const watch = createStallWatch(60_000, () => {});
  expect(await watch(Promise.resolve(5))).toBe(5);
  await expect(watch(Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});

test('stall watch, an end of any batch, good or bad, begins the time anew', async () => {
  let told = 0;
  const watch = createStallWatch(200, () => {
    told++;
  });
  void watch(never);
  for (let i = 0; i < 8; i++) {
    const work =
      i % 2 === 0 ? Bun.sleep(50) : Bun.sleep(50).then(() => Promise.reject(new Error()));
    await watch(work).catch(() => {});
  }
  expect(told).toBe(0);
});

test('stall watch, an idle engine does not hang', async () => {
  let told = 0;
  const watch = createStallWatch(20, () => {
    told++;
  });
  await watch(Promise.resolve());
  await Bun.sleep(60);
  expect(told).toBe(0);
});

test('stall watch, while the thread is stopped no time passes', async () => {
  let told = 0;
  const watch = createStallWatch(100, () => {
    told++;
  });
  const work = watch(Bun.sleep(250));
  const end = performance.now() + 220;
  while (performance.now() < end);
  await work;
  expect(told).toBe(0);
});

test('patience, grows with what the warm-up took and with the batch', () => {
  expect(patienceFor({ firstMs: 0, imageMs: 0 }, 1)).toBe(leastPatienceMs);
  expect(patienceFor({ firstMs: 2000, imageMs: 5 }, 32)).toBe(leastPatienceMs + 21_600);
});

test('at most, waits for the work or for the time, whichever is over first', async () => {
  const begun = performance.now();
  await atMost(60_000, Promise.resolve());
  await atMost(20, never);
  expect(performance.now() - begun).toBeWithin(15, 30_000);
  await expect(atMost(60_000, Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});
