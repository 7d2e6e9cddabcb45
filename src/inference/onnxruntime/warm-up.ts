/** Runs a session before its first caller does: shaders are compiled, memory is allocated. */
import type { Session, SessionOptions } from './session.ts';

/**
 * Each size of batch has shaders of its own. A GPU compiles all of them in a moment; a software driver would take minutes
 * over the large ones, so what is not warm after this long, in milliseconds, is left to the first batch of its size.
 */
const patienceMs = 5000;

/** @throws Error when a run fails */
export async function warmUp(run: Session['run'], options: SessionOptions): Promise<void> {
  const image = new Float32Array(options.shape.reduce((size, side) => size * side, 1));
  const begun = performance.now();
  for (const size of options.batchSizes ?? [1]) {
    await run(Array.from({ length: size }, () => image));
    if (performance.now() - begun > patienceMs) return;
  }
}
