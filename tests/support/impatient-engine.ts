/** Takes the place of src/inference/engine-patience.ts in the executable with faults: a hang is told after seconds. */
import * as real from '../../src/inference/engine-patience.ts';

export const { leastPatienceMs } = real;

export const patienceFor: typeof real.patienceFor = () => 6000;
