/** Opens an engine on a GPU, and finds out whether it is worth it. */
import type { Tell } from '../log.ts';
import type { Precision } from '../model/manifest.ts';
import type { Model } from '../model/open-model.ts';
import { commit, version } from '../version.ts';
import { type Calibration, calibrate } from './calibrate.ts';
import { createCalibrationCache } from './calibration-cache.ts';
import type { Engine } from './engine.ts';
import { CaptureError, type OnnxruntimeEngine } from './onnxruntime/engine.ts';
import type { CaptureMode, CaptureTrial } from './onnxruntime/graph-capture.ts';
import { type CpuOptions, openOnnxruntime } from './open-cpu.ts';
import { sampleFor } from './sample-input.ts';
import { tellIfSlow } from './tell-if-slow.ts';
import { type AdapterInfo, MissingFeatureError } from './webgpu/adapter.ts';

export interface GpuOptions extends CpuOptions {
  readonly precision: Precision;
  /** Most images in one batch on a GPU. */
  readonly maxBatch: number;
  readonly adapter: string | undefined;
  readonly allowSoftwareGpu: boolean;
  readonly graphCapture: CaptureMode;
  /** Where measurements are kept between starts; undefined: nowhere. */
  readonly cacheDir: string | undefined;
}

/** The variant of the model in a precision. @throws ConfigError when there is none */
export type OpenVariant = (precision: Precision) => Model;

/** An engine and the model that it runs. */
export interface Opened<E extends Engine = Engine> {
  readonly engine: E;
  /** fp32 where fp16 was asked for and cannot be had. */
  readonly model: Model;
}
export type OpenedGpu = Opened<OnnxruntimeEngine>;

/**
 * @param accept - asked before the model is loaded; what it throws ends the opening
 * @throws Error with a sentence for the user
 */
export async function openGpu(
  variant: OpenVariant,
  options: GpuOptions,
  tell: Tell,
  accept?: (adapter: AdapterInfo) => void,
): Promise<OpenedGpu> {
  let doing = 'looking for a GPU';
  const open = async (model: Model, captureMode: CaptureMode): Promise<OpenedGpu> => ({
    model,
    engine: await openOnnxruntime(model, {
      threads: 1,
      maxBatch: options.maxBatch,
      captureMode,
      accept(adapter) {
        accept?.(adapter);
        doing = `making ready the GPU ${adapter.name}: it compiles the network and runs it${adapter.software ? '; it is software, and takes up to a minute or two' : ''}`;
      },
      gpu: {
        adapter: options.adapter,
        allowSoftware: options.allowSoftwareGpu,
        needsF16: model.precision === 'fp16',
      },
    }),
  });
  const openTold = (model: Model, captureMode = options.graphCapture): Promise<OpenedGpu> =>
    tellIfSlow(
      tell,
      () => doing,
      () => open(model, captureMode),
    );
  const openCapturing = async (model: Model): Promise<OpenedGpu> => {
    try {
      const opened = await openTold(model);
      if (opened.engine.capture) tell(captureSentence(opened.engine.capture));
      return opened;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      tell(`graph capture is not used, it failed: ${error.message}`, 'warn');
      return openTold(model, 'off');
    }
  };
  try {
    return await openCapturing(variant(options.precision));
  } catch (error) {
    if (!(error instanceof MissingFeatureError)) throw error;
    tell(`running fp32: ${error.message}`, 'warn');
    return openCapturing(variant('fp32'));
  }
}

const refusals = {
  slower: 'graph capture is not used, it is no faster',
  different: 'graph capture is not used, its vectors are not the same',
} as const;

/** It may have been asked for. */
const used = ({ issuedMs, replayedMs }: CaptureTrial): string =>
  `graph capture is used for single images${replayedMs < issuedMs ? '' : ', though it was no faster'}`;

const captureSentence = (trial: CaptureTrial): string =>
  `${trial.refused ? refusals[trial.refused] : used(trial)}: ${trial.replayedMs.toFixed(2)} ms an image, ${trial.issuedMs.toFixed(2)} without it`;

/** An earlier start measured that the CPU is faster. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError';
}

export interface Trial {
  /** For `openGpu`. @throws DeclinedError when it is known already that the GPU will not be taken */
  accept(adapter: AdapterInfo): void;
  /**
   * Measures, unless that was done at an earlier start.
   * @returns undefined when the GPU is taken, else the engine on the CPU; the other one is closed
   */
  judge(gpu: OpenedGpu, openCpu: () => Promise<Opened>): Promise<Opened | undefined>;
}

/** @param program - what measures: another one has kernels of its own, and its figures are its own */
export function createTrial(
  model: Model,
  options: GpuOptions,
  tell: Tell,
  program = `${version} ${commit}`,
): Trial {
  const cache = createCalibrationCache(options.cacheDir);
  const { engine, threads, graphCapture } = options;
  const key = ({ name, driver }: AdapterInfo): string =>
    [program, model.id, name, driver, engine, threads, `capture ${graphCapture}`].join(' | ');
  const earlier = (measured: Calibration): string =>
    `${sentence(measured)} (measured at an earlier start)`;
  return {
    accept(adapter) {
      const kept = cache.find(key(adapter));
      if (kept?.take === 'cpu') throw new DeclinedError(earlier(kept));
      if (kept) tell(earlier(kept));
    },
    async judge({ engine: gpu, model: { precision } }, openCpu) {
      const { adapter } = gpu;
      if (adapter && cache.find(key(adapter))) return undefined;
      const cpu = await openCpu().catch(async (error: unknown) => {
        await gpu.close();
        throw error;
      });
      try {
        const measured = await tellIfSlow(
          tell,
          () => 'measuring whether the GPU or the CPU is faster',
          () => calibrate(gpu, cpu.engine, sampleFor(model), precision),
        );
        if (adapter) cache.keep(key(adapter), measured);
        tell(sentence(measured));
        if (measured.take === 'gpu') {
          await cpu.engine.close();
          return undefined;
        }
      } catch (error) {
        tell(`the GPU failed its trial: ${(error as Error).message}`);
      }
      await gpu.close();
      return cpu;
    },
  };
}

const sentence = ({ take, gpuMs, cpuMs, cosine }: Calibration): string =>
  `${take === 'gpu' ? 'the GPU is taken' : 'the CPU is taken'}: GPU ${gpuMs.toFixed(1)} ms an image, CPU ${cpuMs.toFixed(1)} ms, cosine between them ${cosine.toFixed(7)}`;
