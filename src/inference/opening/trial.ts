/** Finds out whether a GPU is worth it: it is tried against the CPU, unless an earlier start did so. */
import type { Tell } from '../../log.ts';
import type { Model } from '../../model/open-model.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import { sampleFor } from '../sample-input.ts';
import { type Calibration, calibrate, type Failure } from './calibrate.ts';
import { createCalibrationCache } from './calibration-cache.ts';
import { calibrationKey, type Measurer, thisMeasurer } from './calibration-key.ts';
import type { GpuOptions, Opened, OpenedGpu } from './open-gpu.ts';
import { tellIfSlow } from './tell-if-slow.ts';

/** An earlier start measured that the CPU is faster, or that the GPU's vectors are not right. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError';
  /** How it is to be told. */
  readonly level: 'info' | 'warn';

  constructor(kept: Calibration) {
    super(earlier(kept));
    this.level = levelOf(kept);
  }
}

export interface Trial {
  /** For `openGpu`. @throws DeclinedError when it is known already that the GPU will not be taken */
  accept(adapter: AdapterInfo): void;
  /**
   * Measures, unless `accept` has found that an earlier start took the GPU.
   * @returns undefined when the GPU is taken, also for want of a CPU that runs; else the engine on the CPU. The other one is
   *   closed
   */
  judge(gpu: OpenedGpu, openCpu: () => Promise<Opened>): Promise<Opened | undefined>;
}

export function createTrial(
  model: Model,
  options: GpuOptions,
  tell: Tell,
  measurer: Measurer = thisMeasurer(),
): Trial {
  const cache = createCalibrationCache(
    measurer.program === undefined ? undefined : options.cacheDir,
  );
  const key = (adapter: AdapterInfo): string => calibrationKey(measurer, model, options, adapter);
  /** What `accept` found. `judge` does not ask again: by then another operator may have kept that the CPU is to be taken. */
  let measuredEarlier = false;
  return {
    accept(adapter) {
      const kept = cache.find(key(adapter));
      if (kept?.take === 'cpu') throw new DeclinedError(kept);
      // Asked anew when the GPU is opened a second time, without graph capture.
      if (kept && !measuredEarlier) tell(earlier(kept));
      measuredEarlier = kept !== undefined;
    },
    async judge({ engine: gpu, model: { precision } }, openCpu) {
      if (measuredEarlier) return undefined;
      const cpu = await openCpu().catch((error: Error) => {
        const why = `there is no CPU to measure it against: ${error.message}`;
        tell(`${isTaken('gpu')}, ${why}`, 'warn');
        return undefined;
      });
      if (!cpu) return undefined;
      const outcome = await tellIfSlow(
        tell,
        () => 'measuring whether the GPU or the CPU is faster',
        () => calibrate(gpu, cpu.engine, sampleFor(model), precision),
      );
      if ('failed' in outcome) tell(failureSentence(outcome), 'warn');
      else {
        if (gpu.adapter) cache.keep(key(gpu.adapter), outcome);
        tell(sentence(outcome), levelOf(outcome));
      }
      const gpuIsTaken = outcome.take === 'gpu';
      // One that has failed may fail at that, too.
      await (gpuIsTaken ? cpu.engine : gpu).close().catch(() => {});
      return gpuIsTaken ? undefined : cpu;
    },
  };
}

const sentence = ({ take, agree, gpuMs, cpuMs, cosine }: Calibration): string =>
  `${isTaken(take)}: ${agree ? '' : "the GPU's vectors are not right: "}GPU ${gpuMs.toFixed(1)} ms an image, CPU ${cpuMs.toFixed(1)} ms, cosine between them ${cosine.toFixed(7)}`;

const earlier = (kept: Calibration): string => `${sentence(kept)} (measured at an earlier start)`;

/** A slow GPU is as it is; one that computes something else is to be looked into. */
const levelOf = ({ agree }: Calibration): 'info' | 'warn' => (agree ? 'info' : 'warn');

const failureSentence = ({ take, failed }: Failure): string =>
  `${isTaken(take)}: the ${take === 'gpu' ? 'CPU' : 'GPU'} failed in the trial: ${failed.message}`;

const isTaken = (device: 'gpu' | 'cpu'): string => `the ${device.toUpperCase()} is taken`;
