/** How long an engine may take before it is said to hang (see `createStallWatch`). */

/** The least patience, in milliseconds. Shaders may still be compiled, the machine may be short of cores or of memory. */
export const leastPatienceMs = 30_000;
/** How many times the measured time a batch may take on top of that. */
const slack = 10;

/** What warming an engine up took, in milliseconds. */
export interface WarmUpTimes {
  /** The first run, which also compiles. */
  readonly firstMs: number;
  /** A further image. */
  readonly imageMs: number;
}

/** @param images - as many as may be computed, one after the other or by as few threads, before anything comes back */
export const patienceFor = ({ firstMs, imageMs }: WarmUpTimes, images: number): number =>
  leastPatienceMs + slack * (firstMs + images * imageMs);
