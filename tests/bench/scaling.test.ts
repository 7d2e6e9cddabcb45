/** The arithmetic behind "two threads are … times as fast as one". */
import { describe, expect, test } from 'bun:test';
import { scaling } from '../../bench/cpu/scaling.ts';
import { ratios, type Timing, timingTable } from '../../bench/cpu/turns.ts';

const timing = (name: string, times: (number | undefined)[], threads = 1): Timing => ({
  name,
  threads,
  times,
});

describe('scaling', () => {
  test('takes the ratio within each round and sets apart the rounds with two whole cores', () => {
    const one = timing('one', [100, 100, 100, 200, 100]);
    const two = timing('two', [50, 80, 52, 100, 90]);
    const apart = timing('apart', [101, 150, 104, 208, 160]);
    const lines = scaling(one, two, apart).split('\n');
    expect(lines[0]).toBe('Two threads are 1.92 times as fast as one: the median of 5 rounds.');
    expect(lines[1]).toContain('take 1.04 times');
    expect(lines[2]).toContain('In the 3 rounds');
    expect(lines[2]).toContain('2.00 times as fast');
  });

  test('says so when no round had two whole cores', () => {
    const said = scaling(timing('one', [100]), timing('two', [80]), timing('apart', [106]));
    expect(said).toContain('over 1.05 in every round');
  });
});

describe('turns', () => {
  test('a round that does not count for one of two has no ratio', () => {
    expect(ratios(timing('a', [10, undefined, 30]), timing('b', [5, 5, undefined]))).toEqual([
      2,
      undefined,
      undefined,
    ]);
  });

  test('the table compares engines with as many threads', () => {
    const table = timingTable([
      timing('web 1', [100, 110, 120]),
      timing('simd 1', [50, 50, 50]),
      timing('web 2', [60, 60, 60], 2),
      timing('simd 2', [20, 30, undefined], 2),
    ]).split('\n');
    expect(table[3]).toBe('| simd 1 | 3 | 50.0 | 50.0 | 2.20 |');
    expect(table[5]).toBe('| simd 2 | 2 | 30.0 | 20.0 | 3.00 |');
  });
});
