/** The int8 kernels as modules: one with relaxed SIMD, and one for machines without it, with the same results. */
import { fill } from '../common.ts';
import { packGemm } from '../fp32-pack.ts';
import { interleave } from '../fp32-rest.ts';
import { type GemmFormat, gemm } from '../gemm.ts';
import { module, type Wat } from '../wat.ts';
import { pairedGemm, plainGemm, widenedGemm } from './int8-gemm.ts';
import { imageGemm, wordGemm } from './other-gemms.ts';
import { byFours, byPairs, checkInt8, checkNothing, packInt8, type StepOrder } from './pack.ts';
import { add, averagePool, maxPool } from './rest.ts';
import { winogradInput, winogradOutput } from './winograd-transforms.ts';
import { expandWinograd, measurePlane, roundPlane } from './winograd-weights.ts';

const rows = 2;
const vectors = 4;

interface Variant {
  readonly order: StepOrder;
  readonly check: Wat;
  /** For weights that passed the check, and for any. */
  readonly paired: GemmFormat;
  readonly widened: GemmFormat;
}

const moduleOf = ({ order, check, paired, widened }: Variant): string =>
  module([
    // 16 channels, the least there are, are two steps.
    gemm('gemm_paired', { rows, vectors, unroll: 2 }, paired),
    gemm('gemm_widened', { rows, vectors, unroll: 2 }, widened),
    gemm('gemm_words', { rows, vectors, unroll: 4 }, wordGemm),
    ...[3, 1].map((unroll) => gemm(`gemm_image${unroll}`, { rows, vectors, unroll }, imageGemm)),
    winogradInput,
    winogradOutput('winograd_output', false),
    winogradOutput('winograd_output_residual', true),
    maxPool,
    averagePool,
    add,
    interleave,
    fill,
    packGemm,
    packInt8(order),
    check,
    expandWinograd,
    measurePlane,
    roundPlane,
  ]);

export const int8Module: string = moduleOf({
  order: byFours,
  check: checkInt8,
  paired: pairedGemm(rows),
  widened: widenedGemm(rows),
});

export const int8PlainModule: string = moduleOf({
  order: byPairs,
  check: checkNothing,
  paired: plainGemm(rows),
  widened: plainGemm(rows),
});
