/**
 * How threads work on one image together. A step is cut into chunks, and the chunks into as many shares as there are threads.
 * A thread takes those of its own share, then what is left of the others', waits until all are done, and goes to the next
 * step. So any number of threads may take part, and one that comes late passes through the finished steps at once; a thread
 * whose core is busy elsewhere takes fewer chunks.
 *
 * Shares are for the caches: chunks follow the rows of the map, so a thread reads in one step mostly what it has written in
 * the step before. Cores that do not share a cache wait long for each other's lines.
 */
import { counterBytes } from '../plan/plan.ts';

/**
 * Step `step`'s counters as indices into an Int32Array over the memory, for the context at byte address `context`: of chunks
 * done, and behind it, of each share, of chunks taken.
 */
const doneAt = (context: number, step: number): number => (context + step * counterBytes) / 4;
const counters = counterBytes / 4;
const mostShares = counters - 1;

/** Looks at a counter this often before it sleeps: about 100 µs, some chunks' time. */
const spins = 3_000;
/** A sleeping thread looks up this often whether the engine has failed. */
const lookUpMs = 50;

export interface StepToRun {
  readonly chunks: number;
  /** Runs a chunk for the image whose context is at byte address `context`. */
  run(context: number, chunk: number): void;
}

/** Makes a context ready for a new image. No thread may be working in it. */
export function resetCounters(words: Int32Array, context: number, steps: number): void {
  for (let step = 0; step < steps; step++)
    for (let counter = 0; counter < counters; counter++)
      Atomics.store(words, doneAt(context, step) + counter, 0);
}

export interface Part {
  /** Index of the word that is not 0 once the engine has failed. */
  readonly abort: number;
  /** This thread, from 0, and how many the engine has. All of them have to be told the same number. */
  readonly thread: number;
  readonly threads: number;
}

/**
 * Takes part in an image until its last step is done.
 * @returns false when it gave up because the engine has failed
 */
export function runImage(
  words: Int32Array,
  steps: readonly StepToRun[],
  context: number,
  { abort, thread, threads }: Part,
): boolean {
  const shares = Math.min(threads, mostShares);
  for (const [index, step] of steps.entries()) {
    const done = doneAt(context, index);
    for (let others = 0; others < shares; others++) {
      const share = (thread + others) % shares;
      const first = Math.floor((share * step.chunks) / shares);
      const end = Math.floor(((share + 1) * step.chunks) / shares);
      for (;;) {
        const chunk = first + Atomics.add(words, done + 1 + share, 1);
        if (chunk >= end) break;
        step.run(context, chunk);
        const finished = Atomics.add(words, done, 1) + 1;
        if (finished === step.chunks) Atomics.notify(words, done);
      }
    }
    if (!waitUntil(words, done, step.chunks, abort)) return false;
  }
  return true;
}

/**
 * Spins, then sleeps. Spinning alone would take the core from the very thread that is being waited for as soon as another
 * process keeps one core busy.
 */
function waitUntil(words: Int32Array, index: number, wanted: number, abort: number): boolean {
  for (let spin = 0; spin < spins; spin++) {
    if (Atomics.load(words, index) === wanted) return true;
    // Leaves the core's units to its other hyperthread, which may be the one that is waited for.
    Atomics.pause();
  }
  for (;;) {
    const seen = Atomics.load(words, index);
    if (seen === wanted) return true;
    if (Atomics.load(words, abort) !== 0) return false;
    Atomics.wait(words, index, seen, lookUpMs);
  }
}
