/** Runs a session before its first caller does: shaders are compiled, memory is allocated. */
import type { WarmUpTimes } from '../engine-patience.ts';
import { imageSize } from './feed.ts';
import type { Session, SessionOptions } from './session.ts';

/**
 * Each size of batch has shaders of its own. A GPU compiles all of them in a moment; a driver in software would take minutes
 * over the large ones, so what is not warm after this long, in milliseconds, is left to the first batch of its size. Such a
 * driver is not run a second time either, when the first took so long; of a card it was compiling, and the second is told.
 */
const patienceMs = 5000;

/** @throws Error when a run fails */
export async function warmUp(
  run: Session['run'],
  options: SessionOptions,
  software = false,
): Promise<WarmUpTimes> {
  const image = new Float32Array(imageSize(options.shape));
  const time = async (size: number): Promise<number> => {
    const start = performance.now();
    await run(Array.from({ length: size }, () => image));
    return performance.now() - start;
  };
  const begun = performance.now();
  const [least = 1, ...others] = options.batchSizes ?? [];
  const firstMs = (await time(least)) / least;
  // On the CPU the first run is hardly slower than the next.
  if (!options.batchSizes || (software && performance.now() - begun > patienceMs))
    return { firstMs, imageMs: firstMs };
  const imageMs = (await time(least)) / least;
  for (const size of others) {
    if (performance.now() - begun > patienceMs) break;
    await time(size);
  }
  return { firstMs, imageMs };
}
