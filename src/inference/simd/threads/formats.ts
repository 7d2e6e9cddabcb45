/** Steps and weights of any number format, each to the kernels that are its own. */
import type { FileSlice } from '../../../model/file-slice.ts';
import { bindClear } from '../common/bind.ts';
import type { RunChunk, Thread } from '../common/thread.ts';
import { bindFp32 } from '../fp32/bind.ts';
import type { Fp32Kernels } from '../fp32/kernels.ts';
import { loadFloatWeights } from '../fp32/load-weights.ts';
import { bindInt8 } from '../int8/bind.ts';
import type { Int8Kernels } from '../int8/kernels.ts';
import { loadInt8Weights } from '../int8/load-weights.ts';
import type { Step, WeightLoad } from '../plan/plan.ts';

/** What a module exports: the kernels of its format's steps, of those of both kinds. */
export type Kernels = Fp32Kernels & Int8Kernels;

export function bindStep(step: Step, thread: Thread<Kernels>): RunChunk {
  const compute = isInt8(step) ? bindInt8(step, thread) : bindFp32(step, thread);
  const { clears, chunks } = step;
  if (!clears) return compute;
  const clear = bindClear(clears, thread);
  return (context, chunk) => (chunk === chunks - 1 ? clear(context) : compute(context, chunk));
}

export function loadWeights(
  load: WeightLoad,
  file: { fd: number; slice: FileSlice },
  thread: Thread<Kernels>,
): void {
  if (isInt8(load)) loadInt8Weights(load, file, thread);
  else loadFloatWeights(load, file, thread);
}

const int8Operations = /^(int8|packInt8)/;

function isInt8<T extends Step | WeightLoad>(
  item: T,
): item is Extract<T, { op: `${'int8' | 'packInt8'}${string}` }> {
  return int8Operations.test(item.op);
}
