/** A computing thread's part of an engine: its kernels over the shared memory, its share of the weights, its steps. */
import { closeSync } from 'node:fs';
import { type FileSlice, openSlice } from '../../../model/file-slice.ts';
import type { Plan } from '../plan/plan.ts';
import { bindStep, type Kernels, loadWeights } from './formats.ts';
import { runImage, type StepToRun } from './run-image.ts';

export interface ThreadParts {
  readonly plan: Plan;
  readonly memory: WebAssembly.Memory;
  readonly kernels: WebAssembly.Module;
  readonly slice: FileSlice;
  /** Which thread this is, from 0. */
  readonly index: number;
}

export interface OpenThread {
  readonly kernels: Kernels;
  /** The plan's steps. */
  readonly steps: readonly StepToRun[];
  /** Takes part in the image in context `context` until it is finished. */
  join(context: number): void;
}

/**
 * Loads weights until none of the plan's loads is left, together with the other threads.
 * @throws RangeError when the model's file ends early
 */
export function openThread(parts: ThreadParts): OpenThread {
  const { plan, memory, slice, index } = parts;
  const words = new Int32Array(memory.buffer);
  const instance = new WebAssembly.Instance(parts.kernels, { env: { memory } });
  const kernels = instance.exports as unknown as Kernels;
  const scratch = plan.scratch.address + index * plan.scratch.bytes;
  const thread = { kernels, memory, scratch };
  const steps = plan.steps.map((step) => ({ chunks: step.chunks, run: bindStep(step, thread) }));
  const fd = openSlice(slice);
  try {
    const nextLoad = () => plan.loads[Atomics.add(words, plan.control.loadCounter / 4, 1)];
    for (let load = nextLoad(); load; load = nextLoad()) loadWeights(load, { fd, slice }, thread);
  } finally {
    closeSync(fd);
  }
  const part = { abort: plan.control.abort / 4, thread: index, threads: plan.threads };
  return {
    kernels,
    steps,
    join(context) {
      const address = plan.contexts.address + context * plan.contexts.bytes;
      runImage(words, steps, address, part);
    },
  };
}
