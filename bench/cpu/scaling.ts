/**
 * What a second thread brings, by what the machine gave at the moment. A virtual machine's two cores may be two whole ones with
 * a last cache in common, two that are far apart, or two hyperthreads of one core, and it changes from one second to the next.
 */
import { median } from '../median.ts';
import { counted, ratios, type Timing } from './turns.ts';

/** Two cores count as whole when two engines at once take as long as one alone, but for so much: less says that the one was disturbed. */
const tolerance = 0.05;
/** Nanoseconds from core to core: less with a cache in common, more without. */
const near = 90;

/** Timings of the same rounds. */
export interface Rounds {
  /** An image on one thread, and on two. */
  readonly one: Timing;
  readonly two: Timing;
  /** The same of native onnxruntime. */
  readonly nativeOne: Timing;
  readonly nativeTwo: Timing;
  /** Two images at once, on a thread each. */
  readonly apart: Timing;
  /** From core to core before each round, and after the last. */
  readonly distances: readonly number[];
}

const places = {
  near: 'two whole cores, a last cache in common',
  far: 'two whole cores, none in common',
  moved: 'two whole cores that changed their place',
  shared: 'not two whole cores, or something else on them',
} as const;

export function scalingTable(rounds: Rounds): string {
  const { one, two, nativeOne, nativeTwo, apart, distances } = rounds;
  const [gain, native, cost] = [ratios(one, two), ratios(nativeOne, nativeTwo), ratios(apart, one)];
  const placeAt = gain.map((_, round): keyof typeof places => {
    if (!(Math.abs((cost[round] ?? 0) - 1) <= tolerance)) return 'shared';
    const [before, after] = [distances[round]!, distances[round + 1]!].map((ns) => ns < near);
    if (before !== after) return 'moved';
    return before ? 'near' : 'far';
  });
  const row = (what: string, counts: (round: number) => boolean): string => {
    const own = [gain, native].map((all) =>
      counted(all.filter((_, round) => gain[round] !== undefined && counts(round))),
    );
    const figures = own.map((values) => (values.length > 0 ? median(values).toFixed(2) : ''));
    return `| ${what} | ${own[0]!.length} | ${figures.join(' | ')} |`;
  };
  return [
    '| what the machine gave | rounds | simd, two threads to one | native onnxruntime |',
    '|---|---|---|---|',
    ...Object.entries(places).map(([place, what]) =>
      row(what, (round) => placeAt[round] === place),
    ),
    row('all', () => true),
  ].join('\n');
}
