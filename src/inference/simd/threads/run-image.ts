/**
 * How threads work on one image together. A step is cut into chunks, and a context has two counters for each step: chunks
 * taken and chunks done. A thread takes chunks until none is left, waits until all are done, and goes to the next step. So
 * any number of threads may take part, and one that comes late passes through the finished steps at once; a thread whose
 * core is busy elsewhere takes fewer chunks.
 */
import { counterBytes } from '../plan/plan.ts';

/** Step `step`'s counters as indices into an Int32Array over the memory, for the context at byte address `context`. */
const takenAt = (context: number, step: number): number => (context + step * counterBytes) / 4;
const doneAt = (context: number, step: number): number => takenAt(context, step) + 1;

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
  for (let step = 0; step < steps; step++) {
    Atomics.store(words, takenAt(context, step), 0);
    Atomics.store(words, doneAt(context, step), 0);
  }
}

/**
 * Takes part in an image until its last step is done.
 * @param abort - index of the word that is not 0 once the engine has failed
 * @returns false when it gave up because of that
 */
export function runImage(
  words: Int32Array,
  steps: readonly StepToRun[],
  context: number,
  abort: number,
): boolean {
  for (const [index, step] of steps.entries()) {
    const taken = takenAt(context, index);
    const done = doneAt(context, index);
    for (;;) {
      const chunk = Atomics.add(words, taken, 1);
      if (chunk >= step.chunks) break;
      step.run(context, chunk);
      const finished = Atomics.add(words, done, 1) + 1;
      if (finished === step.chunks) Atomics.notify(words, done);
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
