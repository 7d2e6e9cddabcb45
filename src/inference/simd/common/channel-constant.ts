import type { PlanBuilder } from '../plan/plan-builder.ts';

/** One float per stored channel: the layer's own, or `missing`; 0 for the channels that only pad. */
export function channelConstant(
  builder: PlanBuilder,
  name: string,
  channels: number,
  values: Float32Array | undefined,
  missing: number,
): number {
  const key = values ? `${name} ${channels}` : `all ${missing} ${channels}`;
  return builder.constant(key, () => {
    const constant = new Float32Array(channels).fill(values ? 0 : missing);
    if (values) constant.set(values);
    return constant;
  });
}
