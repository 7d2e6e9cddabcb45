/** Takes the place of src/inference/stall-watch.ts in the executable with faults: a hang is told after seconds. */
import * as real from '../../src/inference/stall-watch.ts';

export const { createStallWatch, leastPatienceMs } = real;

export const patienceFor: typeof real.patienceFor = () => 6000;
