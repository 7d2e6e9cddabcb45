/** Opens the `onnxruntime` engine for a model, on the CPU or on a GPU. */
import type { Model } from '../../model/open-model.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import type { OnnxruntimeEngine } from '../onnxruntime/engine.ts';
import type { CaptureMode } from '../onnxruntime/graph-capture.ts';
import type { AdapterChoice } from '../webgpu/adapter.ts';
import { assertGraph } from './assert-graph.ts';

export interface OnnxruntimeOptions {
  readonly threads: number;
  readonly maxBatch?: number;
  /** Runs on WebGPU. */
  readonly gpu?: AdapterChoice;
  /** On WebGPU: whether single images are replayed from a recording. @default off */
  readonly captureMode?: CaptureMode;
  /** Asked when the GPU is known and before the model is loaded; what it throws ends the opening. */
  readonly accept?: ((adapter: AdapterInfo) => void) | undefined;
}

/** @throws ConfigError when the model contradicts itself, or onnxruntime cannot run it */
export async function openOnnxruntime(
  model: Model,
  options: OnnxruntimeOptions,
): Promise<OnnxruntimeEngine> {
  assertGraph(model);
  const { createOnnxruntimeEngine } = await import('../onnxruntime/engine.ts');
  const { graph, dimension } = model.manifest;
  const { input, output, height, width } = graph;
  return createOnnxruntimeEngine({
    ...options,
    slice: model.slice,
    input,
    output,
    shape: graph.layout === 'NCHW' ? [3, height, width] : [height, width, 3],
    dimension,
  });
}
