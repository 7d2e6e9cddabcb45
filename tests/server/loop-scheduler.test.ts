/** Work is done in slices, in order, and nothing waits for ever. */
import { expect, test } from 'bun:test';
import { createLoopScheduler, type Priority } from '../../src/server/limits/loop-scheduler.ts';

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
/** The work of each turn of the event loop until `done`. */
async function inTurns(log: string[], done: () => boolean): Promise<string[][]> {
  const turns: string[][] = [];
  for (let seen = 0; !done(); seen = log.length) {
    await new Promise((resolve) => setTimeout(resolve));
    if (log.length > seen) turns.push(log.slice(seen));
  }
  return turns;
}

test('schedule, what fits into a turn is done at once', () => {
  const { schedule } = createLoopScheduler({ length: 50 });
  const log: number[] = [];
  for (let i = 0; i < 5; i++) schedule('call', () => log.push(i));
  expect(log).toEqual([0, 1, 2, 3, 4]);
});

test('schedule, more than fits: the rest later, in order, and others get in between', async () => {
  const loop = createLoopScheduler({ length: 10 });
  const log: string[] = [];
  let others = 0;
  const timer = setInterval(() => others++);
  for (let i = 0; i < 20; i++)
    loop.schedule('call', () => {
      busy(6);
      log.push(String(i));
    });
  expect(log.length).toBeLessThanOrEqual(2);
  const slices = await inTurns(log, () => log.length === 20);
  clearInterval(timer);
  expect(log).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  // Two where nothing else is on the machine.
  expect(Math.max(...slices.map(({ length }) => length))).toBeLessThanOrEqual(8);
  expect(others).toBeGreaterThanOrEqual(5);
});

test('schedule, what is short goes before what is long', async () => {
  const loop = createLoopScheduler({ length: 5, patience: 10_000 });
  const log: string[] = [];
  loop.schedule('call', () => busy(6));
  const add = (priority: Priority, count: number): void => {
    for (let i = 0; i < count; i++)
      loop.schedule(priority, () => {
        busy(2);
        log.push(priority);
      });
  };
  const order: readonly Priority[] = ['greeting', 'arrival', 'connection', 'call', 'piece', 'read'];
  for (const priority of order.toReversed()) add(priority, 3);
  await inTurns(log, () => log.length === 18);
  expect(log).toEqual(order.flatMap((priority) => [priority, priority, priority]));
});

test('schedule, while what goes before has no end, the others have one of theirs now and then', async () => {
  const loop = createLoopScheduler({ length: 2, patience: 15 });
  const log: Priority[] = [];
  const again = (priority: Priority): void =>
    loop.schedule(priority, () => {
      busy(3);
      log.push(priority);
      if (log.length < 60) again(priority);
    });
  for (let i = 0; i < 3; i++) again('greeting');
  again('call');
  again('read');
  await inTurns(log, () => log.length >= 60);
  const count = (priority: Priority): number => log.filter((each) => each === priority).length;
  // On a machine that is busy every priority is late, and they take turns.
  expect(count('greeting')).toBeGreaterThanOrEqual(15);
  expect(count('call')).toBeGreaterThanOrEqual(4);
  expect(count('read')).toBeGreaterThanOrEqual(4);
});

test('schedule, what need not be done any more takes no time from what waits behind it', async () => {
  const loop = createLoopScheduler({ length: 2, patience: 15 });
  let [over, done] = [false, 0];
  const again = (): void =>
    loop.schedule('greeting', () => {
      busy(3);
      if (!over) again();
    });
  for (let i = 0; i < 3; i++) again();
  for (let i = 0; i < 1000; i++)
    loop.schedule(
      'read',
      () => done++,
      () => true,
    );
  const begun = performance.now();
  await new Promise<void>((resolve) => loop.schedule('read', resolve, () => false));
  over = true;
  // One of a priority every 15 ms would be 15 s.
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(done).toBeLessThan(10);
});

test('schedule, reads count with what they cost later in the turn', () => {
  const loop = createLoopScheduler({ length: 4 });
  let done = 0;
  for (let i = 0; i < 20; i++) loop.schedule('read', () => done++);
  expect(done).toBeLessThanOrEqual(4);
});

test('schedule, an arrival behind a crowd is among the next, and the first of the crowd as well', async () => {
  const loop = createLoopScheduler({ length: 5 });
  const log: string[] = [];
  loop.schedule('arrival', () => busy(6));
  for (const name of ['first', ...Array.from({ length: 20 }, () => 'crowd'), 'last'])
    loop.schedule('arrival', () => {
      busy(6);
      log.push(name);
    });
  await inTurns(log, () => log.length === 22);
  expect(log.slice(0, 2)).toEqual(['last', 'first']);
});

test('schedule, what follows in microtasks is counted before the next is begun', async () => {
  const loop = createLoopScheduler({ length: 5 });
  const log: string[] = [];
  loop.schedule('call', () => busy(6));
  for (let i = 0; i < 6; i++)
    void loop.ready('call').then(() => {
      busy(6);
      log.push(String(i));
    });
  const slices = await inTurns(log, () => log.length === 6);
  expect(slices.length).toBeGreaterThanOrEqual(3);
});

test('hasTime, not once the turn has been used up, until the next one', async () => {
  const loop = createLoopScheduler({ length: 5 });
  expect(loop.hasTime('read')).toBe(true);
  busy(6);
  expect(loop.hasTime('read')).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(loop.hasTime('read')).toBe(true);
});

test('hasTime, not while something waits that goes before', async () => {
  const loop = createLoopScheduler({ length: 50 });
  loop.schedule('call', () => busy(51));
  const seen: boolean[] = [];
  for (let i = 0; i < 2; i++) loop.schedule('call', () => seen.push(loop.hasTime('read')));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(seen).toEqual([false, true]);
});
