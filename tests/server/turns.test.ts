/** Work is done in slices, in order, and nothing waits for ever. */
import { expect, test } from 'bun:test';
import { createTurns, type Kind } from '../../src/server/turns.ts';

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

test('take, what fits into a turn is done at once', () => {
  const { take } = createTurns({ length: 50 });
  const log: number[] = [];
  for (let i = 0; i < 5; i++) take('call', () => log.push(i));
  expect(log).toEqual([0, 1, 2, 3, 4]);
});

test('take, more than fits: the rest later, in order, and others get in between', async () => {
  const turns = createTurns({ length: 10 });
  const log: string[] = [];
  let others = 0;
  const timer = setInterval(() => others++);
  for (let i = 0; i < 20; i++)
    turns.take('call', () => {
      busy(6);
      log.push(String(i));
    });
  expect(log.length).toBeLessThanOrEqual(2);
  const slices = await inTurns(log, () => log.length === 20);
  clearInterval(timer);
  expect(log).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  expect(Math.max(...slices.map(({ length }) => length))).toBeLessThanOrEqual(4);
  expect(others).toBeGreaterThanOrEqual(5);
});

test('take, what is short goes before what is long', async () => {
  const turns = createTurns({ length: 5, patience: 10_000 });
  const log: string[] = [];
  turns.take('call', () => busy(6));
  const add = (kind: Kind, count: number): void => {
    for (let i = 0; i < count; i++)
      turns.take(kind, () => {
        busy(2);
        log.push(kind);
      });
  };
  const order: readonly Kind[] = ['greeting', 'arrival', 'connection', 'call', 'piece', 'read'];
  for (const kind of order.toReversed()) add(kind, 3);
  await inTurns(log, () => log.length === 18);
  expect(log).toEqual(order.flatMap((kind) => [kind, kind, kind]));
});

test('take, while what goes before has no end, the others have one of theirs now and then', async () => {
  const turns = createTurns({ length: 2, patience: 15 });
  const log: Kind[] = [];
  const again = (kind: Kind): void =>
    turns.take(kind, () => {
      busy(3);
      log.push(kind);
      if (log.length < 60) again(kind);
    });
  for (let i = 0; i < 3; i++) again('greeting');
  again('call');
  again('read');
  await inTurns(log, () => log.length >= 60);
  const count = (kind: Kind): number => log.filter((each) => each === kind).length;
  // On a machine that is busy every kind is late, and they take turns.
  expect(count('greeting')).toBeGreaterThanOrEqual(15);
  expect(count('call')).toBeGreaterThanOrEqual(4);
  expect(count('read')).toBeGreaterThanOrEqual(4);
});

test('take, what need not be done any more takes no time from what waits behind it', async () => {
  const turns = createTurns({ length: 2, patience: 15 });
  let [over, done] = [false, 0];
  const again = (): void =>
    turns.take('greeting', () => {
      busy(3);
      if (!over) again();
    });
  for (let i = 0; i < 3; i++) again();
  for (let i = 0; i < 1000; i++)
    turns.take(
      'read',
      () => done++,
      () => true,
    );
  const begun = performance.now();
  await new Promise<void>((resolve) => turns.take('read', resolve, () => false));
  over = true;
  // One of a kind every 15 ms would be 15 s.
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(done).toBeLessThan(10);
});

test('take, reads count with what they cost later in the turn', () => {
  const turns = createTurns({ length: 4 });
  let done = 0;
  for (let i = 0; i < 20; i++) turns.take('read', () => done++);
  expect(done).toBeLessThanOrEqual(4);
});

test('take, an arrival behind a crowd is among the next, and the first of the crowd as well', async () => {
  const turns = createTurns({ length: 5 });
  const log: string[] = [];
  turns.take('arrival', () => busy(6));
  for (const name of ['first', ...Array.from({ length: 20 }, () => 'crowd'), 'last'])
    turns.take('arrival', () => {
      busy(6);
      log.push(name);
    });
  await inTurns(log, () => log.length === 22);
  expect(log.slice(0, 2)).toEqual(['last', 'first']);
});

test('take, what follows in microtasks is counted before the next is begun', async () => {
  const turns = createTurns({ length: 5 });
  const log: string[] = [];
  turns.take('call', () => busy(6));
  for (let i = 0; i < 6; i++)
    void turns.turn('call').then(() => {
      busy(6);
      log.push(String(i));
    });
  const slices = await inTurns(log, () => log.length === 6);
  expect(slices.length).toBeGreaterThanOrEqual(3);
});

test('mayGoOn, not once the turn has been used up, until the next one', async () => {
  const turns = createTurns({ length: 5 });
  expect(turns.mayGoOn('read')).toBe(true);
  busy(6);
  expect(turns.mayGoOn('read')).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(turns.mayGoOn('read')).toBe(true);
});

test('mayGoOn, not while something waits that goes before', async () => {
  const turns = createTurns({ length: 50 });
  turns.take('call', () => busy(51));
  const seen: boolean[] = [];
  for (let i = 0; i < 2; i++) turns.take('call', () => seen.push(turns.mayGoOn('read')));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(seen).toEqual([false, true]);
});
