/** Bounds the memory that requests take up together, from their first byte to the end of their reply. */
import { OperatorError } from '../errors.ts';

export interface RequestShare {
  /** @throws OperatorError OVERLOADED when all requests together would be larger than allowed */
  add(bytes: number): void;
  /** Gives everything back; to be called once. */
  release(): void;
}

export function createRequestBudget(most: number): () => RequestShare {
  let held = 0;
  return () => {
    let own = 0;
    return {
      add(bytes) {
        // A request that is alone is bounded by --max-message-bytes.
        if (held > own && held + bytes > most)
          throw new OperatorError(
            'OVERLOADED',
            `the requests being answered have ${held} bytes; at most ${most} are held at once (--max-bytes-in-flight)`,
          );
        own += bytes;
        held += bytes;
      },
      release() {
        held -= own;
        own = 0;
      },
    };
  };
}
