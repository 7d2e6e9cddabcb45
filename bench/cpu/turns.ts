/** Engines take turns, so that what else the machine does falls on all alike. */
import { median } from '../median.ts';
import type { Contender } from './contenders.ts';
import { tickMs, watchOthers } from './disturbance.ts';

export interface Timing {
  readonly name: string;
  readonly threads: number;
  /** Milliseconds of each round; undefined where the turn does not count. */
  readonly times: readonly (number | undefined)[];
}

export interface TurnsOptions {
  readonly rounds: number;
  /** Whether turns are left out in which other processes were busy; there are more rounds then, for ten minutes at most. */
  readonly undisturbed?: boolean;
  /** Called before every round that counts, and after the last. */
  between?(): void;
}

/** Between turns: onnxruntime's threads go on spinning for a while, which is not the next one's to pay for. */
const restMs = 50;
const mostMs = 600_000;
const allowedShare = 0.05;

/**
 * A turn is an image to wake the threads up and to bring the weights near, as the image before does for a machine that has
 * work, and one that is timed.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  image: Float32Array,
  { rounds, undisturbed = false, between = () => {} }: TurnsOptions,
): Promise<Timing[]> {
  const times = contenders.map((): (number | undefined)[] => []);
  const end = performance.now() + mostMs;
  const enough = (): boolean => times.every((own) => counted(own).length >= rounds);
  for (let round = -3; !enough() && performance.now() < end; round++) {
    if (round >= 0) between();
    for (const [index, contender] of contenders.entries()) {
      await contender.run(image);
      const others = watchOthers();
      const begun = performance.now();
      await contender.run(image);
      const taken = performance.now() - begun;
      const counts = !undisturbed || others() <= tickMs + allowedShare * taken;
      if (round >= 0) times[index]!.push(counts ? taken : undefined);
      await Bun.sleep(restMs);
    }
  }
  between();
  return contenders.map(({ name, threads }, index) => ({ name, threads, times: times[index]! }));
}

export const counted = (times: Timing['times']): number[] =>
  times.filter((time) => time !== undefined);

/** Of two timings of the same rounds, how many times longer the first took, in each round that counts for both. */
export const ratios = (a: Timing, b: Timing): (number | undefined)[] =>
  a.times.map((time, round) => {
    const other = b.times[round];
    return time === undefined || other === undefined ? undefined : time / other;
  });

/** "Times faster" is than the first with as many threads, as the median over the rounds. */
export function timingTable(timings: readonly Timing[]): string {
  const row = (timing: Timing): string => {
    const own = counted(timing.times);
    const reference = timings.find(({ threads }) => threads === timing.threads)!;
    const faster = median(counted(ratios(reference, timing)));
    return `| ${timing.name} | ${own.length} | ${median(own).toFixed(1)} | ${Math.min(...own).toFixed(1)} | ${faster.toFixed(2)} |`;
  };
  return [
    '| engine | turns | median ms | least ms | times faster |',
    '|---|---|---|---|---|',
    ...timings.map(row),
  ].join('\n');
}
