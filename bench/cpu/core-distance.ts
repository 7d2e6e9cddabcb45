/**
 * How far the cores are from each other: nanoseconds until a word that one thread has written is seen by another. On one
 * machine it was 30 to 80 or more than 100, by where its host had put the two cores: with a last cache in common, or without.
 */
import { Worker } from 'node:worker_threads';

/** The other thread sleeps between measurements. In the words: what is said, whether it is there, how often it was woken. */
const answerer = `
  const words = new Int32Array(require('node:worker_threads').workerData);
  Atomics.store(words, 1, 1);
  for (let woken = 0; ; ) {
    Atomics.wait(words, 2, woken);
    woken = Atomics.load(words, 2);
    for (;;) {
      const said = Atomics.load(words, 0);
      if (said === -1) break;
      if (said % 2 === 1) Atomics.store(words, 0, said + 1);
    }
    Atomics.store(words, 0, 0);
  }`;
/** The first half wakes the other thread, and its core. */
const series = 4;
const exchanges = 500;

export interface CoreDistance {
  /** Nanoseconds, in half a millisecond. */
  measure(): number;
  close(): Promise<void>;
}

export async function openCoreDistance(): Promise<CoreDistance> {
  const shared = new SharedArrayBuffer(64);
  const words = new Int32Array(shared);
  const worker = new Worker(answerer, { eval: true, workerData: shared });
  while (Atomics.load(words, 1) === 0) await Bun.sleep(1);
  const exchange = (): number => {
    const begun = performance.now();
    for (let said = 1; said < 2 * exchanges; said += 2) {
      Atomics.store(words, 0, said);
      while (Atomics.load(words, 0) === said);
    }
    return ((performance.now() - begun) * 1e6) / (2 * exchanges);
  };
  return {
    measure() {
      Atomics.add(words, 2, 1);
      Atomics.notify(words, 2);
      const figures = Array.from({ length: series }, exchange);
      Atomics.store(words, 0, -1);
      while (Atomics.load(words, 0) === -1);
      return Math.min(...figures.slice(series / 2));
    },
    close: async () => void (await worker.terminate()),
  };
}
