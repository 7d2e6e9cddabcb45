/** Timing loops. */

export interface Times {
  readonly runs: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
  readonly least: number;
}

/** Fewer runs than this are not called a measurement, however long they take. */
const leastRuns = 5;
const warmUpRuns = 3;

type Run = () => Promise<unknown>;

/** One run after the other, for so many seconds. */
export async function timeRuns(run: Run, seconds: number): Promise<Times> {
  const [times] = await timeInTurn([run], seconds);
  return times!;
}

/** Each of them in turn, so that whatever else the machine does disturbs all; for so many seconds in all. */
export const timeInTurn = (runs: readonly Run[], seconds: number): Promise<Times[]> =>
  timeParts(
    runs.map((run) => async () => {
      const begun = performance.now();
      await run();
      return performance.now() - begun;
    }),
    seconds,
  );

/** @param runs - each tells how long the part of it took that counts, in milliseconds */
export async function timeParts(
  runs: readonly (() => Promise<number>)[],
  seconds: number,
): Promise<Times[]> {
  for (let i = 0; i < warmUpRuns; i++) for (const run of runs) await run();
  const times = runs.map((): number[] => []);
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || times[0]!.length < leastRuns)
    for (const [i, run] of runs.entries()) times[i]!.push(await run());
  return times.map(summary);
}

/** Runs a second while so many are always under way. */
export async function rateOfRuns(
  run: () => Promise<unknown>,
  atATime: number,
  seconds: number,
): Promise<number> {
  await Promise.all(Array.from({ length: atATime }, run));
  const begun = performance.now();
  const end = begun + 1000 * seconds;
  let done = 0;
  const one = async (): Promise<void> => {
    do {
      await run();
      done++;
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: atATime }, one));
  return (1000 * done) / (performance.now() - begun);
}

export function summary(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { runs: sorted.length, median: at(0.5), p95: at(0.95), least: at(0) };
}

/** Images a second, also of a GPU that is only software. */
export const rate = (imagesPerSecond: number): string =>
  `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 2 : 0)} images/s`;
