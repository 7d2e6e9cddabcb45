/** The arithmetic behind "two threads are … times as fast as one". */
import { describe, expect, test } from 'bun:test';
import { scalingTable } from '../../bench/cpu/scaling.ts';
import { ratios, type Timing, timingTable } from '../../bench/cpu/turns.ts';

const timing = (name: string, times: (number | undefined)[], threads = 1): Timing => ({
  name,
  threads,
  times,
});

test('scaling, takes the ratio within each round, by what the machine gave in it', () => {
  const rounds = {
    one: timing('one', [100, 100, 100, 200, 100, undefined]),
    two: timing('two', [50, 80, 60, 100, 70, 50]),
    apart: timing('apart', [101, 150, 104, 208, 101, 100]),
    nativeOne: timing('native', [20, 20, 20, 20, 20, 20]),
    nativeTwo: timing('native', [10, 20, 16, 12.5, 20, 10]),
    distances: [40, 80, 110, 120, 89, 88, 91],
  };
  expect(scalingTable(rounds).split('\n')).toEqual([
    '| what the machine gave | rounds | simd, two threads to one | native onnxruntime |',
    '|---|---|---|---|',
    '| two whole cores, a last cache in common | 2 | 2.00 | 2.00 |',
    '| two whole cores, none in common | 1 | 1.67 | 1.25 |',
    '| two whole cores that changed their place | 1 | 2.00 | 1.60 |',
    '| not two whole cores, or something else on them | 1 | 1.25 | 1.00 |',
    '| all | 5 | 1.67 | 1.25 |',
  ]);
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
