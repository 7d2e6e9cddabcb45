/** Network → plan: tensors with their borders, steps in order, and a place in memory for everything. */
import { fp32 } from '../fp32/plan-layers.ts';
import { int8 } from '../int8/plan-layers.ts';
import {
  type Edges,
  inputsOf,
  type Network,
  pixels,
  type Shape,
  size,
  type Value,
} from '../network/network.ts';
import { Unsupported } from '../unsupported.ts';
import { createAddressSpace } from './address-space.ts';
import { type ArenaBlock, aligned, type Lifetime, placeBlocks } from './arena.ts';
import { type Constant, counterBytes, type Plan, type Step, type WeightLoad } from './plan.ts';
import type { FormatPlanner, PlanBuilder } from './plan-builder.ts';
import { noBorder, type Tensor, tensorBytes, union } from './tensor.ts';

export interface PlanOptions {
  readonly threads: number;
  readonly layout: 'NCHW' | 'NHWC';
}

/** A 32-bit memory, less a page. */
const mostBytes = 2 ** 32 - 65536;

export function planNetwork(
  network: Network,
  { threads, layout }: PlanOptions,
): { plan: Plan; constants: readonly Constant[] } {
  if (network.input.quantised)
    throw new Unsupported(`the graph's input ${network.input.name} is quantised`);
  const format = network.layers.some(({ output }) => output.quantised) ? int8 : fp32;
  const space = createAddressSpace();
  const control = { loadCounter: space.reserve(4), abort: space.reserve(4) };
  const tensors = makeTensors(network, format);
  const steps: Step[] = [];
  const loads: WeightLoad[] = [];
  const usedAt = new Map<ArenaBlock, { first: number; last: number }>();
  let scratchBytes = 0;

  const tensorOf = (value: Value): Tensor => {
    const tensor = tensors.get(value);
    if (!tensor) throw new Unsupported(`nothing computes ${value.name}`);
    return tensor;
  };
  const use = (block: ArenaBlock, at: number): void => {
    usedAt.set(block, { first: usedAt.get(block)?.first ?? at, last: at });
  };
  const builder: PlanBuilder = {
    tensor: tensorOf,
    isInput: (value) => value === network.input,
    block: (bytes) => ({ bytes, offset: -1 }),
    constant: space.constant,
    reserve: space.reserve,
    scratch(bytes) {
      scratchBytes = Math.max(scratchBytes, aligned(bytes));
    },
    load: (load) => loads.push(load),
    step(step, uses) {
      for (const block of uses) if (block) use(block, steps.length);
      steps.push(step);
    },
  };

  const inputValues = size(network.input.shape);
  const input = builder.block(inputValues * 4);
  const output = tensorOf(network.output);
  if (network.layers.length === 0 || pixels(network.output.shape) !== 1)
    throw new Unsupported(`the graph's output is ${describe(network.output.shape)}, not a vector`);
  format.planInput(builder, input, tensorOf(network.input), layout);
  for (const layer of network.layers) format.planLayer(builder, layer);
  if (network.output.quantised)
    throw new Unsupported(`the graph's output ${network.output.name} is quantised`);
  use(output, steps.length);

  const lifetimes: Lifetime[] = Array.from(usedAt, ([block, life]) => ({ block, ...life }));
  const contextBytes = placeBlocks(lifetimes, steps.length * counterBytes);
  const scratch = { address: space.reserve(scratchBytes * threads), bytes: scratchBytes };
  const contexts = { address: space.reserve(contextBytes * threads), bytes: contextBytes };
  if (space.used > mostBytes)
    throw new Unsupported(`it needs ${Math.round(space.used / 2 ** 20)} MB of memory`);
  return {
    plan: {
      format: format.format,
      memoryBytes: space.used,
      threads,
      control,
      scratch,
      contexts,
      input,
      inputValues,
      output,
      outputValues: size(network.output.shape),
      loads,
      steps,
    },
    constants: space.constants,
  };
}

const describe = ({ channels, height, width }: Shape): string => `${channels}×${height}×${width}`;

/** A tensor for every value, with the border that its readers ask for. */
function makeTensors(network: Network, format: FormatPlanner): Map<Value, Tensor> {
  const borders = new Map<Value, Edges>();
  for (const layer of network.layers) {
    const { input } = layer;
    const border = format.border(layer, input === network.input);
    borders.set(input, union(borders.get(input) ?? noBorder, border));
  }
  const values = [network.input, ...network.layers.map((layer) => layer.output)];
  for (const layer of network.layers)
    for (const value of inputsOf(layer))
      if (!values.includes(value)) throw new Unsupported(`nothing computes ${value.name}`);
  return new Map(
    values.map((value) => {
      const { height, width } = value.shape;
      const geometry = {
        height,
        width,
        border: borders.get(value) ?? noBorder,
        ...format.tensorLayout(value, value === network.input),
      };
      return [value, { ...geometry, bytes: tensorBytes(geometry), offset: -1 }];
    }),
  );
}
