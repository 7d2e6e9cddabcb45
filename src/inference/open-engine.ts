/** Chooses device and engine for a model, says why, and puts what may replace them behind them. */
import type { Tell } from '../log.ts';
import type { Model } from '../model/open-model.ts';
import { assertDevice } from './assert-device.ts';
import { createFailoverEngine, type FailoverEngine, type OpenNext } from './failover.ts';
import { type EngineOptions, findGpu } from './find-gpu.ts';
import { openCpuEngine } from './open-cpu.ts';
import { type Opened, type OpenVariant, openGpu } from './open-gpu.ts';
import type { AdapterInfo } from './webgpu/adapter.ts';

export interface OpenedEngine {
  readonly engine: FailoverEngine;
  /** What runs now: without a GPU, and when one was lost for good, fp16 becomes fp32. */
  readonly model: Model;
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
  const tellOfFp32 = ({ model }: Opened): void => {
    if (model !== asked) tell('on the CPU fp16 brings nothing: running fp32', 'warn');
  };
  const onGpu = (): Promise<Opened> => openGpu(variant, options, tell);

  const { opened, adapter } = await findGpu(variant, options, tell, onCpu);
  const first = opened ?? (await onCpu());
  if (first.engine.device === 'wasm') tellOfFp32(first);
  let { model } = first;
  const replacement =
    (open: () => Promise<Opened>): OpenNext =>
    async () => {
      const opened = await open();
      if (opened.engine.device === 'wasm') tellOfFp32(opened);
      model = opened.model;
      return opened.engine;
    };
  const next = first.engine.device === 'webgpu' ? [onGpu, onCpu] : [onCpu];
  return {
    engine: createFailoverEngine({ first: first.engine, next: next.map(replacement), tell }),
    adapter,
    get model() {
      return model;
    },
  };
}
