import { OperatorError } from '../../errors.ts';

/** A file as it came. */
export interface FetchedFile {
  /** In a buffer of their own, which may be transferred to another thread. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Says that the file is no longer held; calling it again does nothing. */
  release(): void;
}

/** What all files together take, from their first byte until they are released. */
export interface FetchMemory {
  /**
   * Whoever waited here, holding half a file, would wait for others who do the same; so nobody waits.
   * @throws OperatorError OVERLOADED when `bytes` more would be too many
   */
  take(bytes: number): void;
  giveBack(bytes: number): void;
}

export function createFetchMemory(maxBytes: number): FetchMemory {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > maxBytes) {
        throw new OperatorError(
          'OVERLOADED',
          `files fetched by URL take ${maxBytes} bytes together (--max-fetched-bytes); try again later`,
        );
      }
      taken += bytes;
    },
    giveBack(bytes) {
      taken -= bytes;
    },
  };
}
