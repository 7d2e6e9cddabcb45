/** The kernels of float32, as one module. */
import { fill } from './common.ts';
import { fp32Gemm } from './fp32-gemm.ts';
import { packGemm, packWinograd } from './fp32-pack.ts';
import { add, averagePool, interleave, maxPool, relu } from './fp32-rest.ts';
import { winogradInput, winogradOutput } from './fp32-winograd.ts';
import { gemm } from './gemm.ts';
import { module } from './wat.ts';
import { winograd2 } from './winograd-2x2.ts';
import { winograd4 } from './winograd-4x4.ts';

/** A segment is a multiple of so many values: of 8 in whole blocks of channels, of 3 in images, or of anything. */
const unrollings = [8, 3, 1];

export const fp32Module: string = module([
  ...unrollings.map((unroll) => gemm(`gemm${unroll}`, { rows: 2, vectors: 4, unroll }, fp32Gemm)),
  ...[winograd2, winograd4].flatMap((algorithm) => [
    winogradInput(algorithm),
    winogradOutput(algorithm, false),
    winogradOutput(algorithm, true),
    packWinograd(algorithm),
  ]),
  maxPool,
  averagePool,
  add,
  relu,
  interleave,
  fill,
  packGemm,
]);
