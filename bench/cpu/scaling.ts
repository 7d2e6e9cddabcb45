/** What a second thread brings, beside what a second core of this machine brings at the same time. */
import { median } from '../median.ts';
import { counted, ratios, type Timing } from './turns.ts';

/** Two cores count as whole when two engines at once take at most this many times as long as one alone. */
const whole = 1.05;

/**
 * @param one - an image on one thread
 * @param two - an image on two
 * @param apart - two images at once, a thread each
 */
export function scaling(one: Timing, two: Timing, apart: Timing): string {
  const gain = ratios(one, two);
  const cost = ratios(apart, one);
  const kept = gain.filter((_, round) => (cost[round] ?? Number.POSITIVE_INFINITY) <= whole);
  const figure = (values: readonly (number | undefined)[]): string =>
    median(counted(values)).toFixed(2);
  return [
    `Two threads are ${figure(gain)} times as fast as one: the median of ${counted(gain).length} rounds.`,
    `Two images at once, on a thread each, take ${figure(cost)} times as long as one alone.`,
    kept.length > 0
      ? `In the ${kept.length} rounds in which that was at most ${whole}, so that there were two whole cores, two threads were ${figure(kept)} times as fast.`
      : `That was over ${whole} in every round: the machine did not give two whole cores.`,
  ].join('\n');
}
