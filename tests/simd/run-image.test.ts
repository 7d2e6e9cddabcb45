import { expect, test } from 'bun:test';
import { counterBytes } from '../../src/inference/simd/plan/plan.ts';
import { resetCounters, runImage } from '../../src/inference/simd/threads/run-image.ts';

const context = 128;
const abort = 1;
const newWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(1024));
const stepsOf = (counts: number[], log: string[]) =>
  counts.map((chunks, step) => ({
    chunks,
    run: (at: number, chunk: number) => log.push(`${at} ${step}.${chunk}`),
  }));

test('runImage, runs every chunk once, step by step', () => {
  const log: string[] = [];
  expect(runImage(newWords(), stepsOf([2, 1, 3], log), context, abort)).toBe(true);
  expect(log).toEqual(['0.0', '0.1', '1.0', '2.0', '2.1', '2.2'].map((c) => `${context} ${c}`));
});

test('runImage, passes through an image that is finished, until its counters are reset', () => {
  const [words, log]: [Int32Array, string[]] = [newWords(), []];
  const steps = stepsOf([2, 3], log);
  runImage(words, steps, context, abort);
  expect(runImage(words, steps, context, abort)).toBe(true);
  expect(log.length).toBe(5);
  resetCounters(words, context, steps.length);
  runImage(words, steps, context, abort);
  expect(log.length).toBe(10);
});

test('runImage, gives up waiting for another thread when the engine has failed', () => {
  const words = newWords();
  // Another thread has taken the only chunk of step 1 and never finishes it.
  words[(context + counterBytes) / 4] = 1;
  words[abort] = 1;
  const log: string[] = [];
  expect(runImage(words, stepsOf([1, 1, 1], log), context, abort)).toBe(false);
  expect(log).toEqual([`${context} 0.0`]);
});
