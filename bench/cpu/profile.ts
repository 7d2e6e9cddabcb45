/** Where the time of the simd engine goes: every step of the plan, on this thread. */

import { planesOf } from '../../src/inference/simd/common/winograd-tiles.ts';
import { loadKernels } from '../../src/inference/simd/kernels/load-kernels.ts';
import { openNetwork, type SimdModel } from '../../src/inference/simd/open-network.ts';
import type { Step } from '../../src/inference/simd/plan/plan.ts';
import { planNetwork } from '../../src/inference/simd/plan/plan-network.ts';
import { createMemory, openContexts } from '../../src/inference/simd/threads/memory.ts';
import { openThread } from '../../src/inference/simd/threads/open-thread.ts';

export interface StepTime {
  readonly step: Step;
  /** Multiplications that the step does; 0 where they do not matter. */
  readonly multiplications: number;
  /** Of the rounds, milliseconds. */
  readonly median: number;
  readonly least: number;
}

/** Runs `rounds` images, step by step and chunk by chunk, after some to warm up. */
export function profileSteps(model: SimdModel, image: Float32Array, rounds: number): StepTime[] {
  const { layout } = model.manifest.graph;
  const { plan, constants } = planNetwork(openNetwork(model), { threads: 1, layout });
  const memory = createMemory(plan, constants);
  const kernels = loadKernels(plan.format);
  const thread = openThread({ plan, memory, kernels, slice: model.slice, index: 0 });
  const contexts = openContexts(plan, memory);
  const times = plan.steps.map((): number[] => []);
  for (let round = -5; round < rounds; round++) {
    contexts.begin(0, image);
    for (const [index, { chunks, run }] of thread.steps.entries()) {
      const begun = performance.now();
      for (let chunk = 0; chunk < chunks; chunk++) run(plan.contexts.address, chunk);
      if (round >= 0) times[index]!.push(performance.now() - begun);
    }
  }
  return plan.steps.map((step, index) => {
    const sorted = times[index]!.sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    return { step, multiplications: multiplicationsOf(step), median, least: sorted[0]! };
  });
}

function multiplicationsOf(step: Step): number {
  if (step.op === 'gemm' || step.op === 'int8Image' || step.op === 'int8Gemm') {
    const perPixel = (step.segments * step.segmentBytes) / step.src.elementBytes;
    return step.dst.height * step.dst.width * step.dst.channels * perPixel;
  }
  if (step.op === 'winogradProduct' || step.op === 'int8WinogradProduct') {
    const { tiles, src, dst } = step.winograd;
    const planes = planesOf('tile' in step.winograd ? step.winograd.tile : 4);
    return planes * tiles * src.channels * dst.channels;
  }
  return 0;
}

/** The profile as a table, steps of the same shape together. */
export function profileTable(times: readonly StepTime[]): string {
  const groups = new Map<string, { count: number; ms: number; least: number; work: number }>();
  for (const { step, multiplications, median, least } of times) {
    const key = describe(step);
    const group = groups.get(key) ?? { count: 0, ms: 0, least: 0, work: 0 };
    group.count++;
    group.ms += median;
    group.least += least;
    group.work += multiplications;
    groups.set(key, group);
  }
  const rows = Array.from(groups, ([what, { count, ms, least, work }]) => {
    const rate = work > 0 ? (work / least / 1e6).toFixed(1) : '';
    return `| ${what} | ${count} | ${ms.toFixed(2)} | ${least.toFixed(2)} | ${rate} |`;
  });
  const total = (of: (time: StepTime) => number) => times.reduce((sum, time) => sum + of(time), 0);
  return [
    '| step | number | median ms | least ms | 10⁹ multiplications/s at least ms |',
    '|---|---|---|---|---|',
    ...rows,
    `| all | ${times.length} | ${total((t) => t.median).toFixed(1)} | ${total((t) => t.least).toFixed(1)} | |`,
  ].join('\n');
}

function describe(step: Step): string {
  if (step.op === 'gemm' || step.op === 'int8Image' || step.op === 'int8Gemm') {
    const { src, dst, segments } = step;
    return `${segments}×${segments} ${src.channels}→${dst.channels}, ${dst.height}×${dst.width}`;
  }
  if ('winograd' in step) {
    const { src, dst } = step.winograd;
    const tile = 'tile' in step.winograd ? step.winograd.tile : 4;
    const name = /(Input|Output)$/.exec(step.op)?.[0].toLowerCase() ?? 'products';
    return `Winograd ${tile}×${tile}, ${src.channels}→${dst.channels}, ${dst.height}×${dst.width}: ${name}`;
  }
  return step.op;
}
