/** Chooses device and engine for a model, says why, and puts what may replace them behind them. */
import { ConfigError } from '../errors.ts';
import type { Tell } from '../log.ts';
import type { Model } from '../model/open-model.ts';
import { assertDevice } from './assert-device.ts';
import { createFailover, type Failover, isUsable } from './failover.ts';
import { openCpuEngine } from './open-cpu.ts';
import {
  type GpuOptions,
  type Opened,
  type OpenedGpu,
  type OpenVariant,
  openGpu,
} from './open-gpu.ts';
import { rebuildOptions } from './rebuild-options.ts';
import { sampleFor } from './sample-input.ts';
import { createTrial, DeclinedError } from './trial.ts';
import type { AdapterInfo } from './webgpu/adapter.ts';
import { describeDrivers, mayHaveGpu } from './webgpu/drivers.ts';

export interface EngineOptions extends GpuOptions {
  readonly device: 'auto' | 'webgpu' | 'wasm';
}

export interface OpenedEngine {
  /** What runs now is in `current`: without a GPU, and when one was lost for good, fp16 becomes fp32. */
  readonly failover: Failover<Model>;
  /** The GPU that was taken at the start. */
  readonly adapter: AdapterInfo | undefined;
}

/** @throws ConfigError when what was asked for cannot be had */
export async function openEngine(
  variant: OpenVariant,
  options: EngineOptions,
  tell: Tell,
): Promise<OpenedEngine> {
  assertDevice(options);
  const { precision } = options;
  // Asked for first, so that a missing variant ends the start whatever the device turns out to be.
  const asked = variant(precision);
  const onCpu = async (): Promise<Opened> => {
    const model = precision === 'fp16' ? variant('fp32') : asked;
    if (model !== asked) tell('without a GPU fp16 brings nothing: running fp32', 'warn');
    return { model, engine: await openCpuEngine(model, options, tell) };
  };
  const onGpu = (reason: Error): Promise<Opened> =>
    openGpu(variant, rebuildOptions(options, reason), tell);

  const gpu = await findGpu(variant, options, tell, onCpu);
  const first = gpu ?? (await onCpu());
  const next = first.engine.device === 'webgpu' ? [onGpu, onCpu] : [onCpu];
  return {
    failover: createFailover({ first, next, answersWell, tell }),
    adapter: 'adapter' in first.engine ? (first as OpenedGpu).engine.adapter : undefined,
  };
}

async function answersWell({ engine, model }: Opened): Promise<boolean> {
  const rows = await engine.run([sampleFor(model)]);
  return rows.every(isUsable);
}

/**
 * The GPU that is to be used; the engine on the CPU that was measured against it, when that is better; or undefined, with
 * the reason told.
 */
async function findGpu(
  variant: OpenVariant,
  options: EngineOptions,
  tell: Tell,
  onCpu: () => Promise<Opened>,
): Promise<Opened | undefined> {
  const { device, precision } = options;
  if (device === 'wasm' || precision === 'int8') return undefined;
  const none = (why: string): undefined =>
    tellNoGpu(`no GPU, running on the CPU: ${why}`, options, tell);
  if (device === 'auto' && !mayHaveGpu(options.allowSoftwareGpu))
    return none(
      describeDrivers() +
        (options.allowSoftwareGpu
          ? ''
          : '; a software driver is taken with --allow-software-gpu only'),
    );
  const trial = createTrial(variant(precision), options, tell);
  try {
    const gpu = await openGpu(variant, options, tell, device === 'auto' ? trial.accept : undefined);
    return device === 'auto' ? ((await trial.judge(gpu, onCpu)) ?? gpu) : gpu;
  } catch (error) {
    // With auto the CPU is asked as well: a model that contradicts itself does so there, too, and another may run.
    if (error instanceof ConfigError && device === 'webgpu') throw error;
    const { message } = error as Error;
    if (device === 'webgpu') throw new ConfigError(`--device webgpu: ${message}`);
    if (!(error instanceof DeclinedError)) return none(message);
    tell(message, error.level);
    return undefined;
  }
}

/** Whoever has named a GPU expects that one: for others it is nothing to look into. */
function tellNoGpu(
  sentence: string,
  { adapter, allowSoftwareGpu }: Pick<GpuOptions, 'adapter' | 'allowSoftwareGpu'>,
  tell: Tell,
): undefined {
  if (adapter !== undefined) tell(`--adapter ${adapter} is not used: ${sentence}`, 'warn');
  else tell(sentence, allowSoftwareGpu ? 'warn' : 'info');
}
