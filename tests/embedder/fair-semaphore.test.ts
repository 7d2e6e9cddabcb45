import { describe, expect, test } from 'bun:test';
import { createFairSemaphore } from '../../src/fair-semaphore.ts';

describe('createFairSemaphore', () => {
  const { signal } = new AbortController();

  test('acquire, groups take turns, each in its own order', async () => {
    const slots = createFairSemaphore(1);
    const [a, b, c] = [{}, {}, {}];
    const order: string[] = [];
    const first = await slots.acquire(a, signal);
    const take = async (group: object, name: string) => {
      const release = await slots.acquire(group, signal);
      order.push(name);
      release();
    };
    const all = [
      take(a, 'a1'),
      take(a, 'a2'),
      take(a, 'a3'),
      take(b, 'b1'),
      take(b, 'b2'),
      take(c, 'c1'),
    ];
    expect(slots.waiting).toBe(6);
    first();
    await Promise.all(all);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(slots.waiting).toBe(0);
  });

  test('acquire, a slot given back twice is one slot', async () => {
    const slots = createFairSemaphore(1);
    const release = await slots.acquire({}, signal);
    release();
    release();
    await slots.acquire({}, signal);
    slots.acquire({}, signal).catch(() => {});
    expect(slots.waiting).toBe(1);
  });

  test('acquire, one who gave up is passed over and leaves nothing behind', async () => {
    const slots = createFairSemaphore(1);
    const group = {};
    const release = await slots.acquire(group, signal);
    const quitter = new AbortController();
    const quit = slots.acquire(group, quitter.signal);
    const stays = slots.acquire(group, signal);
    quitter.abort();
    await expect(quit).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(slots.waiting).toBe(1);
    release();
    (await stays)();
    expect(slots.waiting).toBe(0);
  });
});
