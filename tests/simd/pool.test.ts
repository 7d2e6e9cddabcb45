import { expect, test } from 'bun:test';
import { createPool } from '../../src/inference/simd/threads/pool.ts';

/** A pool whose threads do nothing until told that they have left. Images and rows are numbered by their first value. */
function fakePool(count: number) {
  /** What each thread works on: a context. */
  const at = new Map<number, number>();
  const images = new Map<number, number>();
  const threads = Array.from({ length: count }, (_, thread) => ({
    send(message: { type: string; context?: number }) {
      if (at.has(thread)) throw new Error('a busy thread was sent to an image');
      at.set(thread, message.context!);
    },
  }));
  const pool = createPool(threads, {
    begin(context, image) {
      if ([...at.values()].includes(context)) throw new Error('the context is in use');
      images.set(context, image[0]!);
    },
    finish: (context) => Float32Array.of(images.get(context)!),
  });
  return {
    run: (image: number) => pool.run(Float32Array.of(image)),
    fail: pool.fail,
    /** Image number of each thread. */
    get working() {
      return threads.map((_, thread) => (at.has(thread) ? images.get(at.get(thread)!) : undefined));
    },
    leave(thread: number) {
      const context = at.get(thread)!;
      at.delete(thread);
      pool.left(thread, { type: 'left', context });
    },
  };
}

test('pool, gives one image to all idle threads', () => {
  const pool = fakePool(4);
  void pool.run(1);
  expect(pool.working).toEqual([1, 1, 1, 1]);
});

test('pool, gives waiting images a thread each as they become free', async () => {
  const pool = fakePool(2);
  const rows = [1, 2, 3].map(pool.run);
  expect(pool.working).toEqual([1, 1]);
  pool.leave(0);
  expect(await rows[0]).toEqual(Float32Array.of(1));
  expect(pool.working).toEqual([2, 1]);
  pool.leave(1);
  expect(pool.working).toEqual([2, 3]);
});

test('pool, sends a thread with nothing to do to a running image', async () => {
  const pool = fakePool(3);
  const [, second] = [pool.run(1), pool.run(2)];
  for (const thread of [0, 1, 2]) pool.leave(thread);
  expect(pool.working).toEqual([2, 2, 2]);
  pool.leave(1);
  expect(await second).toEqual(Float32Array.of(2));
  // The image is finished: no one joins it, and its context stays taken until the others have left.
  expect(pool.working).toEqual([2, undefined, 2]);
  void pool.run(3);
  expect(pool.working).toEqual([2, 3, 2]);
  pool.leave(0);
  expect(pool.working).toEqual([3, 3, 2]);
});

test('pool, fails what runs, what waits and what comes later', async () => {
  const pool = fakePool(1);
  const rows = Promise.allSettled([1, 2].map(pool.run));
  const error = new Error('lost');
  pool.fail(error);
  expect(await rows).toEqual([1, 2].map(() => ({ status: 'rejected', reason: error })));
  await expect(pool.run(3)).rejects.toBe(error);
  pool.leave(0);
});
