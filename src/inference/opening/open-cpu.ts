/** Opens an engine on the CPU: our own kernels where they can run the model, else onnxruntime. */
import { ConfigError } from '../../errors.ts';
import type { Tell } from '../../log.ts';
import type { Model } from '../../model/open-model.ts';
import type { Engine } from '../engine.ts';
import { assertGraph } from './assert-graph.ts';
import { openOnnxruntime } from './open-onnxruntime.ts';

export interface CpuOptions {
  readonly engine: 'auto' | 'onnxruntime' | 'simd';
  /** Computing threads. */
  readonly threads: number;
}

/** @throws ConfigError when the model contradicts itself, or cannot be run by `--engine` */
export async function openCpuEngine(
  model: Model,
  options: CpuOptions,
  tell: Tell,
): Promise<Engine> {
  const { engine, threads } = options;
  const refusal = whyNotSimd(model, engine);
  if (refusal === undefined) {
    const simd = await openSimd(model, threads);
    if ('engine' in simd) return simd.engine;
    assertGraph(model);
    if (engine === 'simd')
      throw new ConfigError(`--engine simd cannot run this model: ${simd.unsupported}`);
    tell(`engine onnxruntime: simd cannot run this model: ${simd.unsupported}`);
  } else tell(`engine onnxruntime: ${refusal}`);
  return openOnnxruntime(model, { threads });
}

/** Why simd is not tried on this model, or undefined when it is. Its file is not read: what simd cannot run shows itself later. */
export function whyNotSimd(
  { manifest, precision }: Pick<Model, 'manifest' | 'precision'>,
  engine: CpuOptions['engine'],
): string | undefined {
  if (engine === 'onnxruntime') return 'asked for by --engine';
  if (engine === 'simd' || manifest.variants[precision]?.agreement) return undefined;
  return 'the manifest has no record that simd agrees with it (`npm run model -- prepare` makes one)';
}

/** @returns the engine, or what in the model it cannot run */
export async function openSimd(
  model: Model,
  threads: number,
): Promise<{ engine: Engine } | { unsupported: string }> {
  const { createSimdEngine } = await import('../simd/engine.ts');
  return createSimdEngine({ model, threads });
}
