import type { LoopScheduler } from './loop-scheduler.ts';

/** What comes in as it comes, each in its turn: one read of a socket brings thousands of messages, or much of an upload. */
export async function* inTurns<T>(
  items: AsyncIterable<T>,
  loop: LoopScheduler,
): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    if (!loop.hasTime('piece')) await loop.ready('piece');
    yield item;
  }
}
