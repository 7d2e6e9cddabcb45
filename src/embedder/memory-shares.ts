/** How the memory that there is gets divided, where the command line does not say otherwise. */
import { totalmem } from 'node:os';

export interface MemoryShares {
  /** Requests, from their first byte until their images are done. */
  readonly maxBytesInFlight: number;
  /** Files fetched by URL, until they are decoded. */
  readonly maxFetchedBytes: number;
  /** Everything that decoding takes: pixels, and what the codecs need besides. */
  readonly maxDecodedBytes: number;
}

const MiB = 2 ** 20;

/**
 * Together 7/16 of the memory: the model and its working memory, the runtime, and what the garbage collector has not come
 * to yet need the rest, and an edge host runs other programs, too. The upper ends are where more brings nothing: there are
 * only so many decoding threads. The lower ends let a photo of 12 megapixels through.
 * @param memory - bytes
 */
export function shareMemory(memory: number): MemoryShares {
  return {
    maxBytesInFlight: within(64, memory / 8, 1024),
    maxFetchedBytes: within(32, memory / 16, 512),
    maxDecodedBytes: within(128, memory / 4, 4096),
  };
}

/**
 * What the operator needs at the least: some 250 MiB of its own, the lower ends of the shares, and what the collector has not
 * come to; `npm run bench -- flood` with `--memory 256MiB` saw 562 MiB.
 */
export const leastMemory = 640 * MiB;

/** A sentence for the log when there is less than the operator needs: the shares do not become smaller then. */
export function warnOfLittleMemory(memory: number): string | undefined {
  if (memory >= leastMemory) return undefined;
  const MiBs = (bytes: number): string => `${Math.floor(bytes / MiB)} MiB`;
  return `${MiBs(memory)} of memory are less than the operator needs; under load it takes up to ${MiBs(leastMemory)}, whatever --memory says`;
}

/** Whole MiB. */
const within = (least: number, bytes: number, most: number): number =>
  Math.min(most, Math.max(least, Math.floor(bytes / MiB))) * MiB;

/** Bytes of memory that this process may use: the machine's, or what its container (cgroup) is allowed. */
export function availableMemory(): number {
  const machine = totalmem();
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, machine) : machine;
}
