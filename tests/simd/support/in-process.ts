/** Runs a plan on the test's own thread: the same steps and kernels, without workers. */
import { loadKernels } from '../../../src/inference/simd/kernels/load-kernels.ts';
import { openNetwork, type SimdModel } from '../../../src/inference/simd/open-network.ts';
import type { Plan, Step } from '../../../src/inference/simd/plan/plan.ts';
import { planNetwork } from '../../../src/inference/simd/plan/plan-network.ts';
import { pixelAt, type Tensor } from '../../../src/inference/simd/plan/tensor.ts';
import { createMemory, openContexts } from '../../../src/inference/simd/threads/memory.ts';
import { openThread } from '../../../src/inference/simd/threads/open-thread.ts';

export interface InProcess {
  readonly plan: Plan;
  run(image: Float32Array): Float32Array;
  /** Runs the steps before the last of layer `layer`, then that layer, and reads what lies in memory on the way. */
  runLayer(image: Float32Array, layer: string): LayerRun;
}

/** Maps as `[channels][height][width]`, padding channels included. */
export interface LayerRun {
  readonly input: Map3;
  readonly residual: Map3 | undefined;
  readonly output: Map3;
}

export interface Map3 {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/**
 * @param relaxed - whether the kernels may use relaxed SIMD
 * @throws Unsupported
 */
export function openInProcess(model: SimdModel, relaxed = true): InProcess {
  const { layout } = model.manifest.graph;
  const { plan, constants } = planNetwork(openNetwork(model), { threads: 1, layout });
  const memory = createMemory(plan, constants);
  const { slice } = model;
  const kernels = loadKernels(plan.format, relaxed);
  const thread = openThread({ plan, memory, kernels, slice, index: 0 });
  const { steps } = thread;
  const contexts = openContexts(plan, memory);
  // What an earlier image leaves in the arena must not matter.
  new Uint8Array(memory.buffer, plan.contexts.address, plan.contexts.bytes).fill(0x7f);
  return {
    plan,
    run(image) {
      contexts.begin(0, image);
      thread.join(0);
      return contexts.finish(0);
    },
    runLayer(image, layer) {
      contexts.begin(0, image);
      const own = plan.steps.filter((step) => step.name.split(' ')[0] === layer);
      const [first, last] = [plan.steps.indexOf(own[0]!), plan.steps.indexOf(own.at(-1)!)];
      const runUpTo = (from: number, to: number): void => {
        for (let step = from; step < to; step++)
          for (let chunk = 0; chunk < steps[step]!.chunks; chunk++)
            steps[step]!.run(plan.contexts.address, chunk);
      };
      runUpTo(0, first);
      const { src, dst, residual } = operandsOf(own[0]!);
      const read = (tensor: Tensor): Map3 => readMap(memory, plan.contexts.address, tensor);
      const before = { input: read(src), residual: residual && read(residual) };
      runUpTo(first, last + 1);
      return { ...before, output: read(dst) };
    },
  };
}

function operandsOf(step: Step): { src: Tensor; dst: Tensor; residual: Tensor | undefined } {
  if ('winograd' in step) return step.winograd;
  if (step.op === 'add' || step.op === 'int8Add')
    return { src: step.a, residual: step.b, dst: step.dst };
  if (step.op === 'interleave') throw new Error('not a layer');
  return { residual: undefined, ...step };
}

/** A copy: the memory goes on to other uses. */
function readMap(memory: WebAssembly.Memory, context: number, tensor: Tensor): Map3 {
  const { offset, bytes, channels, height, width, elementBytes } = tensor;
  const copy = new Uint8Array(memory.buffer, context + offset, bytes).slice().buffer;
  const stored = elementBytes === 1 ? new Int8Array(copy) : new Float32Array(copy);
  const values = new Float32Array(channels * height * width);
  for (let c = 0, i = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        values[i++] = stored[pixelAt(tensor, y, x) / elementBytes + c]!;
  return { channels, height, width, values };
}
