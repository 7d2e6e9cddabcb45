/** The least of several measurements: what the machine does besides can only make one larger. */

/** @returns milliseconds of the fastest of `times` runs */
export async function fastest(times: number, run: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await run();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}
