import { atMost } from '../../at-most.ts';
import type { Connections } from './connections.ts';

/** How long calls that were cut off get to tell their clients, in milliseconds. */
const lastWords = 200;

/**
 * Lets what runs finish, for at most so many milliseconds, and has the rest cut off.
 * @returns how many calls were cut off
 */
export async function drain(
  connections: Connections,
  most: number,
  cutOff: () => void,
): Promise<number> {
  let drained = false;
  const done = connections.drain().then(() => {
    drained = true;
  });
  await atMost(most, done);
  if (drained) return 0;
  const cut = connections.calls;
  cutOff();
  await atMost(lastWords, done);
  return cut;
}
