/** Which of two engines to take for a model: both are timed on it, and their vectors compared. */
import { cosine } from '../cosine.ts';
import type { Engine } from '../engine.ts';

/** Least cosine between the two engines' outputs for the faster one to be trusted. */
const leastCosine = { fp32: 0.9999, fp16: 0.999, int8: 0.99 } as const;
/** Timed runs of each, after one that compiles; the least is taken, as everything else on the machine only adds. */
const timedRuns = 3;

export interface Calibration {
  readonly take: 'gpu' | 'cpu';
  /** Whether the GPU's vector is that of the CPU, as far as the precision lets it be. */
  readonly agree: boolean;
  /** Milliseconds for one image. */
  readonly gpuMs: number;
  readonly cpuMs: number;
  /** Between the outputs for the same image; 0 when the GPU's has no direction. */
  readonly cosine: number;
}

/** One of the two cannot run the network: the other is taken, and nothing is known of how fast they are. */
export interface Failure {
  readonly take: 'gpu' | 'cpu';
  /** What the one that is not taken failed with. */
  readonly failed: Error;
}

/** @param input - one preprocessed image, not all the same value */
export async function calibrate(
  gpu: Engine,
  cpu: Engine,
  input: Float32Array,
  precision: keyof typeof leastCosine,
): Promise<Calibration | Failure> {
  const onGpu = await time(gpu, input).catch(asError);
  if (onGpu instanceof Error) return { take: 'cpu', failed: onGpu };
  const onCpu = await time(cpu, input).catch(asError);
  if (onCpu instanceof Error) return { take: 'gpu', failed: onCpu };
  if (hasDirection(onGpu.output) && !hasDirection(onCpu.output))
    return { take: 'gpu', failed: new Error('its vector is all zeros, or not of numbers') };
  // NaN is no JSON: it could not be kept, and such a GPU would be tried at every start.
  const between = cosine(onGpu.output, onCpu.output) || 0;
  const agree = between >= leastCosine[precision];
  return {
    take: agree && onGpu.ms < onCpu.ms ? 'gpu' : 'cpu',
    agree,
    gpuMs: onGpu.ms,
    cpuMs: onCpu.ms,
    cosine: between,
  };
}

/** Zeros have none, nor has what is no number or beyond all of them. */
const hasDirection = (vector: Float32Array): boolean => !Number.isNaN(cosine(vector, vector));

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));

async function time(
  engine: Engine,
  input: Float32Array,
): Promise<{ readonly output: Float32Array; readonly ms: number }> {
  let [output] = await engine.run([input]);
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < timedRuns; i++) {
    const start = performance.now();
    [output] = await engine.run([input]);
    ms = Math.min(ms, performance.now() - start);
  }
  if (!output) throw new Error('the engine gave no output');
  return { output, ms };
}
