/**
 * How far the cores are from each other: nanoseconds until a word that one thread has written is seen by another. On one
 * machine it was 30 to 80 or more than 110, by where its host had put the two cores: with a last cache in common, or without.
 */
import { Worker } from 'node:worker_threads';
import { median } from '../median.ts';

const answerer = `
  const words = new Int32Array(require('node:worker_threads').workerData);
  Atomics.store(words, 1, 1);
  for (;;) {
    const said = Atomics.load(words, 0);
    if (said === -1) break;
    if (said % 2 === 1) Atomics.store(words, 0, said + 1);
  }`;
const rounds = 21;
const exchanges = 5_000;

export async function coreDistance(): Promise<number> {
  const shared = new SharedArrayBuffer(64);
  const words = new Int32Array(shared);
  const worker = new Worker(answerer, { eval: true, workerData: shared });
  while (Atomics.load(words, 1) === 0) await Bun.sleep(1);
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    for (let said = 1; said < 2 * exchanges; said += 2) {
      Atomics.store(words, 0, said);
      while (Atomics.load(words, 0) === said);
    }
    figures.push(((performance.now() - begun) * 1e6) / (2 * exchanges));
    Atomics.store(words, 0, 0);
    await Bun.sleep(5);
  }
  Atomics.store(words, 0, -1);
  await worker.terminate();
  return median(figures);
}
