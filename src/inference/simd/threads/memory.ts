import type { Constant, Plan } from '../plan/plan.ts';
import type { Contexts } from './pool.ts';
import { resetCounters } from './run-image.ts';

const pageBytes = 65536;

/** The one memory of an engine: constants, weights and contexts, seen by all its threads. */
export function createMemory(plan: Plan, constants: readonly Constant[]): WebAssembly.Memory {
  const pages = Math.ceil(plan.memoryBytes / pageBytes);
  const memory = allocate(pages);
  for (const { address, values } of constants) {
    const View = values instanceof Int32Array ? Int32Array : Float32Array;
    new View(memory.buffer, address, values.length).set(values);
  }
  return memory;
}

/** The contexts of a plan, from outside. */
export function openContexts(plan: Plan, memory: WebAssembly.Memory): Contexts {
  const words = new Int32Array(memory.buffer);
  const addressOf = (context: number): number =>
    plan.contexts.address + context * plan.contexts.bytes;
  const floats = (context: number, offset: number, count: number): Float32Array =>
    new Float32Array(memory.buffer, addressOf(context) + offset, count);
  return {
    begin(context, image) {
      floats(context, plan.input.offset, plan.inputValues).set(image);
      resetCounters(words, addressOf(context), plan.steps.length);
    },
    finish: (context) => new Float32Array(floats(context, plan.output.offset, plan.outputValues)),
  };
}

/** All at once, and never more: the one allocation of the start that a limit is sure to meet. */
function allocate(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Error(
      `out of memory: the model takes ${Math.ceil(pages / 16)} MiB at once, its weights and what it computes in, and the system gives this process less (the limit of its container or user)`,
      { cause: error },
    );
  }
}
