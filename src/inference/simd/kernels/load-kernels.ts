/** The compiled kernels, as files that the executable embeds. */
import { readFileSync } from 'node:fs';
import type { Plan } from '../plan/plan.ts';
import fp32Path from './fp32.wasm' with { type: 'file' };
import int8Path from './int8.wasm' with { type: 'file' };
import int8PlainPath from './int8-plain.wasm' with { type: 'file' };

/**
 * The kernels of a number format. Those of int8 exist twice, with relaxed SIMD instructions and without; both give the
 * same results, and the machine decides.
 * @param relaxed - whether relaxed SIMD may be used where the machine has it
 */
export function loadKernels(format: Plan['format'], relaxed = true): WebAssembly.Module {
  if (format === 'fp32') return new WebAssembly.Module(readFileSync(fp32Path));
  const bytes = readFileSync(int8Path);
  const understood = relaxed && WebAssembly.validate(bytes);
  return new WebAssembly.Module(understood ? bytes : readFileSync(int8PlainPath));
}
