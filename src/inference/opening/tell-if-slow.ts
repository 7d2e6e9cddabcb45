/** Says what is being done when it takes long enough for somebody to wonder. */
import type { Tell } from '../../log.ts';

const wonderingMs = 1500;

/** @param doing - asked when it has taken that long; the thread must be free to ask it */
export async function tellIfSlow<T>(
  tell: Tell,
  doing: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => tell(doing()), wonderingMs);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
