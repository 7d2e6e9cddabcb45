/** Chooses the engine and the device for a model, and says why. */
import { ConfigError } from '../errors.ts';
import type { Model } from '../model/open-model.ts';
import type { Engine } from './engine.ts';

export interface EngineOptions {
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly engine: 'auto' | 'onnxruntime' | 'simd';
  /** Computing threads. */
  readonly threads: number;
}

/** Told what was chosen and why, in a sentence for the log. */
export type Tell = (message: string) => void;

/** @throws ConfigError when what was asked for cannot be had */
export async function openEngine(
  model: Model,
  options: EngineOptions,
  tell: Tell,
): Promise<Engine> {
  if (options.device === 'webgpu')
    throw new ConfigError('--device webgpu: this build has no WebGPU support; use --device wasm');
  const refusal =
    options.engine === 'onnxruntime' ? 'asked for by --engine' : noSimd(model, options);
  if (refusal === undefined) {
    const simd = await openSimd(model, options.threads);
    if ('engine' in simd) return simd.engine;
    if (options.engine === 'simd')
      throw new ConfigError(`--engine simd cannot run this model: ${simd.unsupported}`);
    tell(`engine onnxruntime: simd cannot run this model: ${simd.unsupported}`);
  } else tell(`engine onnxruntime: ${refusal}`);
  return openOnnxruntime(model, options.threads);
}

/** Why `auto` does not take the simd engine for this model, or undefined when it does. */
function noSimd(model: Model, options: EngineOptions): string | undefined {
  if (options.engine === 'simd') return undefined;
  const agreement = model.manifest.variants[model.precision]?.agreement;
  return agreement
    ? undefined
    : 'the manifest has no record that simd agrees with it (`npm run model -- prepare` makes one)';
}

export async function openOnnxruntime(model: Model, threads: number): Promise<Engine> {
  const { createOnnxruntimeEngine } = await import('./onnxruntime/engine.ts');
  const { graph, dimension } = model.manifest;
  return createOnnxruntimeEngine({
    slice: model.slice,
    input: graph.input,
    output: graph.output,
    shape:
      graph.layout === 'NCHW' ? [3, graph.height, graph.width] : [graph.height, graph.width, 3],
    dimension,
    threads,
  });
}

/** @returns the engine, or what in the model it cannot run */
export async function openSimd(
  model: Model,
  threads: number,
): Promise<{ engine: Engine } | { unsupported: string }> {
  const { createSimdEngine } = await import('./simd/engine.ts');
  return createSimdEngine({ model, threads });
}
