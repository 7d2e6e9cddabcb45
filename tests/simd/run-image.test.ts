import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { counterBytes } from '../../src/inference/simd/plan/plan.ts';
import { resetCounters, runImage } from '../../src/inference/simd/threads/run-image.ts';

const context = 128;
const abort = 1;
const alone = { abort, thread: 0, threads: 1 };
const newWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(1024));
const stepsOf = (counts: number[], log: string[]) =>
  counts.map((chunks, step) => ({
    chunks,
    run: (at: number, chunk: number) => log.push(`${at} ${step}.${chunk}`),
  }));

test('runImage, runs every chunk once, step by step', () => {
  const log: string[] = [];
  expect(runImage(newWords(), stepsOf([2, 1, 3], log), context, alone)).toBe(true);
  expect(log).toEqual(['0.0', '0.1', '1.0', '2.0', '2.1', '2.2'].map((c) => `${context} ${c}`));
});

test('runImage, takes its own share first, then what is left of the others', () => {
  const log: string[] = [];
  const last = { abort, thread: 2, threads: 3 };
  expect(runImage(newWords(), stepsOf([7, 2], log), context, last)).toBe(true);
  const order = ['0.4', '0.5', '0.6', '0.0', '0.1', '0.2', '0.3', '1.1', '1.0'];
  expect(log).toEqual(order.map((chunk) => `${context} ${chunk}`));
});

test('runImage, with any number of threads every chunk is run once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (threads, counts, thread) => {
        const log: string[] = [];
        const part = { abort, thread: thread % threads, threads };
        runImage(newWords(), stepsOf(counts, log), context, part);
        const all = counts.flatMap((chunks, step) =>
          Array.from({ length: chunks }, (_, chunk) => `${context} ${step}.${chunk}`),
        );
        expect(log.toSorted()).toEqual(all.toSorted());
      },
    ),
  );
});

test('runImage, passes through an image that is finished, until its counters are reset', () => {
  const [words, log]: [Int32Array, string[]] = [newWords(), []];
  const steps = stepsOf([2, 3], log);
  runImage(words, steps, context, alone);
  expect(runImage(words, steps, context, alone)).toBe(true);
  expect(log.length).toBe(5);
  resetCounters(words, context, steps.length);
  runImage(words, steps, context, alone);
  expect(log.length).toBe(10);
});

test('runImage, gives up waiting for another thread when the engine has failed', () => {
  const words = newWords();
  // Another thread has taken the only chunk of step 1 and never finishes it.
  words[(context + counterBytes) / 4 + 1] = 1;
  words[abort] = 1;
  const log: string[] = [];
  expect(runImage(words, stepsOf([1, 1, 1], log), context, alone)).toBe(false);
  expect(log).toEqual([`${context} 0.0`]);
});
