/** Runs it, unless that was done within the last so many milliseconds. */
export function throttle(ms: number, run: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - last < ms) return;
    last = performance.now();
    run();
  };
}
