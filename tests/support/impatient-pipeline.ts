/** Takes the place of src/image/image-pipeline.ts in the executable with faults: a hang is told after seconds. */
import * as real from '../../src/image/image-pipeline.ts';

export const createImagePipeline: typeof real.createImagePipeline = (options) =>
  real.createImagePipeline(options, { patienceMs: 2000 });
