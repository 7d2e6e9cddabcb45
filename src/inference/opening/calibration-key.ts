/** What a measurement of a GPU against the CPU holds for: where any of it is another, it is made anew. */
import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Model } from '../../model/open-model.ts';
import { compiled } from '../../threads.ts';
import { commit, version } from '../../version.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import { whyNotSimd } from './open-cpu.ts';
import type { GpuOptions } from './open-gpu.ts';

/** Who measures: another program has kernels of its own, and hosts with other CPUs may share a cache folder. */
export interface Measurer {
  /** undefined: nothing tells it from others, so nothing is kept for it. */
  readonly program: string | undefined;
  /** Model of the CPU. */
  readonly cpu: string;
}

export const thisMeasurer = (): Measurer => ({ program: thisProgram(), cpu: cpuModel() });

/** Known before an engine on the CPU is opened: what simd turns out not to run is the same at every start. */
export function calibrationKey(
  { program, cpu }: Measurer,
  model: Model,
  { engine, threads, graphCapture }: GpuOptions,
  { name, driver }: AdapterInfo,
): string {
  // What runs on a GPU in fp16 runs on the CPU in fp32.
  const refused = whyNotSimd({ manifest: model.manifest, precision: 'fp32' }, engine);
  const onCpu = `${refused === undefined ? 'simd' : 'onnxruntime'} on ${cpu}`;
  const capture = `capture ${graphCapture}`;
  return [program, model.id, name, driver, onCpu, `${threads} threads`, capture].join(' | ');
}

/**
 * The commit alone does not say which code this is: built outside a repository it is `unknown`, built from a changed tree it
 * ends with `-dirty`, whatever the change. The executable's time is another one after each build. Sources have neither a
 * commit nor a time, and may be changed before the next start: what they measure is not kept.
 */
function thisProgram(): string | undefined {
  if (!compiled) return undefined;
  const built = statSync(process.execPath, { throwIfNoEntry: false })?.mtime.toISOString();
  return `${version} ${commit} ${built}`;
}

/** Some machines do not tell. */
function cpuModel(): string {
  try {
    return cpus()[0]?.model ?? 'a CPU';
  } catch {
    return 'a CPU';
  }
}
