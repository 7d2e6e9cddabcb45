/** Chooses device and engine for a model, says why, and puts what may replace them behind them. */
import { ConfigError } from '../errors.ts';
import type { Precision } from '../model/manifest.ts';
import type { Model } from '../model/open-model.ts';
import { type Calibration, calibrate } from './calibrate.ts';
import { createCalibrationCache } from './calibration-cache.ts';
import type { Engine } from './engine.ts';
import { createFailoverEngine, type FailoverEngine } from './failover.ts';
import { type CpuOptions, openCpuEngine, openOnnxruntime, type Tell } from './open-cpu.ts';
import { sampleInput } from './sample-input.ts';
import type { AdapterInfo } from './webgpu/adapter.ts';
import { describeDrivers, mayHaveGpu } from './webgpu/drivers.ts';

export interface EngineOptions extends CpuOptions {
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly precision: Precision;
  /** Most images in one batch on a GPU. */
  readonly maxBatch: number;
  readonly adapter: string | undefined;
  readonly allowSoftwareGpu: boolean;
  /** Where measurements are kept between starts; undefined: nowhere. */
  readonly cacheDir: string | undefined;
}

export interface OpenedEngine {
  readonly engine: FailoverEngine;
  /** What it runs: without a GPU, fp16 becomes fp32. */
  readonly model: Model;
  readonly adapter: AdapterInfo | undefined;
}

/** The variant of the model in a precision. @throws ConfigError when there is none */
export type OpenVariant = (precision: Precision) => Model;

/** @throws ConfigError when what was asked for cannot be had */
export async function openEngine(
  variant: OpenVariant,
  options: EngineOptions,
  tell: Tell,
): Promise<OpenedEngine> {
  const { precision, device } = options;
  if (device === 'webgpu' && precision === 'int8')
    throw new ConfigError('--precision int8 runs on the CPU only: leave --device webgpu away');
  // Asked for first, so that a missing variant ends the start whatever the device turns out to be.
  const model = variant(precision);
  const onCpu = async (): Promise<OpenedEngine> => {
    if (precision === 'fp16') tell('without a GPU fp16 brings nothing: running fp32');
    const cpuModel = precision === 'fp16' ? variant('fp32') : model;
    const first = await openCpuEngine(cpuModel, options, tell);
    const engine = createFailoverEngine({ first, next: [], tell });
    return { engine, model: cpuModel, adapter: undefined };
  };
  const onGpu = (): ReturnType<typeof openGpu> => openGpu(model, options);

  if (device === 'wasm' || precision === 'int8') return onCpu();
  if (device === 'auto' && !mayHaveGpu()) {
    tell(`no GPU, running on the CPU: ${describeDrivers()}`);
    return onCpu();
  }
  let gpu: Awaited<ReturnType<typeof onGpu>>;
  try {
    gpu = await onGpu();
  } catch (error) {
    const { message } = error as Error;
    if (device === 'webgpu') throw new ConfigError(`--device webgpu: ${message}`);
    tell(`no GPU, running on the CPU: ${message}`);
    return onCpu();
  }
  const cpu = (): Promise<Engine> => openCpuEngine(model, options, tell);
  if (device === 'auto' && !(await gpuIsBetter(gpu, model, options, tell, cpu))) {
    await gpu.close();
    return onCpu();
  }
  const engine = createFailoverEngine({ first: gpu, next: [onGpu, cpu], tell });
  return { engine, model, adapter: gpu.adapter };
}

function openGpu(model: Model, options: EngineOptions) {
  return openOnnxruntime(model, {
    threads: 1,
    maxBatch: options.maxBatch,
    gpu: { adapter: options.adapter, allowSoftware: options.allowSoftwareGpu },
  });
}

/** By measurement, or by what was measured at an earlier start. */
async function gpuIsBetter(
  gpu: Awaited<ReturnType<typeof openGpu>>,
  model: Model,
  options: EngineOptions,
  tell: Tell,
  openCpu: () => Promise<Engine>,
): Promise<boolean> {
  const cache = createCalibrationCache(options.cacheDir);
  const { name, driver } = gpu.adapter ?? { name: '', driver: '' };
  const key = [model.id, name, driver, options.engine, options.threads].join(' | ');
  const kept = cache.find(key);
  if (kept) {
    tell(`${sentence(kept)} (measured at an earlier start)`);
    return kept.take === 'gpu';
  }
  const { graph, preprocess } = model.manifest;
  const amplitude = (127 * preprocess.scale) / preprocess.std[0];
  const input = sampleInput(3 * graph.height * graph.width, 1, amplitude);
  const cpu = await openCpu();
  try {
    const measured = await calibrate(gpu, cpu, input, model.precision);
    cache.keep(key, measured);
    tell(sentence(measured));
    return measured.take === 'gpu';
  } catch (error) {
    tell(`the GPU failed its trial: ${(error as Error).message}`);
    return false;
  } finally {
    await cpu.close();
  }
}

const sentence = ({ take, gpuMs, cpuMs, cosine }: Calibration): string =>
  `${take === 'gpu' ? 'the GPU is taken' : 'the CPU is taken'}: GPU ${gpuMs.toFixed(1)} ms an image, CPU ${cpuMs.toFixed(1)} ms, cosine between them ${cosine.toFixed(7)}`;
