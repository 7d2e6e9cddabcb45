/** Rounds of their own for what a second thread brings: short ones, so that the machine stays the same within most of them. */
import type { Contenders } from './contenders.ts';
import { openCoreDistance } from './core-distance.ts';
import { scalingTable } from './scaling.ts';
import { takeTurns } from './turns.ts';

export async function measureScaling(
  { simd, native, apart }: Contenders,
  image: Float32Array,
  rounds: number,
): Promise<string> {
  const cores = await openCoreDistance();
  const distances: number[] = [];
  const timings = await takeTurns([...simd, apart, ...native], image, {
    rounds,
    between: () => distances.push(cores.measure()),
  });
  await cores.close();
  const [one, two, together, nativeOne, nativeTwo] = timings;
  return scalingTable({
    ...{ one: one!, two: two!, apart: together! },
    ...{ nativeOne: nativeOne!, nativeTwo: nativeTwo!, distances },
  });
}
