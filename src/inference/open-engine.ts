/** Chooses device and engine for a model, says why, and puts what may replace them behind them. */
import type { Tell } from '../log.ts';
import type { Model } from '../model/open-model.ts';
import type { AdapterInfo } from './adapter-info.ts';
import { createFailover, type Failover, isUsable } from './failover.ts';
import { assertDevice } from './opening/assert-device.ts';
import { type EngineOptions, findGpu } from './opening/find-gpu.ts';
import { openCpuEngine } from './opening/open-cpu.ts';
import { type Opened, type OpenVariant, openGpu } from './opening/open-gpu.ts';
import { rebuildOptions } from './opening/rebuild-options.ts';
import { sampleFor } from './sample-input.ts';

export interface OpenedEngine {
  /** What runs now is in `current`: without a GPU, and when one was lost for good, fp16 becomes fp32. */
  readonly failover: Failover<Model>;
  /** The GPU that was opened at the start, taken or declined. */
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
    return { model, engine: await openCpuEngine(model, options, tell) };
  };
  const settledOnCpu = (opened: Opened): Opened => {
    if (opened.model !== asked) tell('on the CPU fp16 brings nothing: running fp32', 'warn');
    return opened;
  };
  const onGpu = (reason: Error): Promise<Opened> =>
    openGpu(variant, rebuildOptions(options, reason), tell);
  const onCpuInstead = async (): Promise<Opened> => settledOnCpu(await onCpu());

  const { opened, adapter } = await findGpu(variant, options, tell, onCpu);
  const first = opened ?? (await onCpu());
  const onTheGpu = first.engine.device === 'webgpu';
  if (!onTheGpu) settledOnCpu(first);
  const next = onTheGpu ? [onGpu, onCpuInstead] : [onCpuInstead];
  return { failover: createFailover({ first, next, answersWell, tell }), adapter };
}

async function answersWell({ engine, model }: Opened): Promise<boolean> {
  const rows = await engine.run([sampleFor(model)]);
  return rows.every(isUsable);
}
