/** Looks for a GPU that is to be used, and says why there is none. */
import { ConfigError } from '../../errors.ts';
import type { Tell } from '../../log.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import { describeDrivers, mayHaveGpu } from '../webgpu/drivers.ts';
import { type GpuOptions, type Opened, type OpenVariant, openGpu } from './open-gpu.ts';
import { createTrial, DeclinedError } from './trial.ts';

export interface EngineOptions extends GpuOptions {
  readonly device: 'auto' | 'webgpu' | 'wasm';
  /** The beginning of a warning for when the CPU is taken: "--adapter has no effect". */
  readonly idleOnCpu?: string | undefined;
}

export interface Search {
  /** On the GPU that is to be used, or the engine on the CPU that was measured against it and is better. */
  readonly opened?: Opened;
  /** The GPU that was opened, taken or not. */
  readonly adapter?: AdapterInfo | undefined;
}

/** @throws ConfigError when `--device webgpu` cannot be had */
export async function findGpu(
  variant: OpenVariant,
  options: EngineOptions,
  tell: Tell,
  onCpu: () => Promise<Opened>,
): Promise<Search> {
  const { device, precision, allowSoftwareGpu, idleOnCpu } = options;
  let adapter: AdapterInfo | undefined;
  const declined = (why: string): Search => ({ adapter: adapter && { ...adapter, declined: why } });
  /** Whoever has given options for a GPU expects one: for others it is nothing to look into. */
  const without = (sentence: string, level: 'info' | 'warn' = 'info'): Search => {
    if (idleOnCpu !== undefined) tell(`${idleOnCpu}: ${sentence}`, 'warn');
    else tell(sentence, level);
    return declined(sentence);
  };
  const none = (why: string): Search =>
    without(`no GPU, running on the CPU: ${why}`, allowSoftwareGpu ? 'warn' : 'info');

  if (device === 'wasm') return {};
  if (precision === 'int8')
    return idleOnCpu === undefined
      ? {}
      : without('int8 is what this model has, and it runs on the CPU');
  if (device === 'auto' && !mayHaveGpu(allowSoftwareGpu))
    return none(
      describeDrivers() +
        (allowSoftwareGpu ? '' : '; a software driver is taken with --allow-software-gpu only'),
    );
  /** What the trial has said last is how it ended. */
  let verdict = '';
  const trial = createTrial(variant(precision), options, (message, level) => {
    verdict = message;
    tell(message, level);
  });
  const accept = (found: AdapterInfo): void => {
    // Asked anew when the GPU is opened again, without graph capture or in fp32.
    if (found.note !== undefined && found.note !== adapter?.note) tell(found.note);
    adapter = found;
    if (device === 'auto') trial.accept(found);
  };
  try {
    const gpu = await openGpu(variant, options, tell, accept);
    if (device === 'webgpu') return { opened: gpu, adapter };
    const opened = await trial.judge(gpu, onCpu);
    if (!opened) return { opened: gpu, adapter };
    if (idleOnCpu !== undefined) tell(`${idleOnCpu}: the CPU is taken`, 'warn');
    return { ...declined(verdict), opened };
  } catch (error) {
    // With auto the CPU is asked as well: a model that contradicts itself does so there, too, and another may run.
    if (error instanceof ConfigError && device === 'webgpu') throw error;
    const { message } = error as Error;
    if (device === 'webgpu') throw new ConfigError(`--device webgpu: ${message}`);
    return error instanceof DeclinedError ? without(message, error.level) : none(message);
  }
}
