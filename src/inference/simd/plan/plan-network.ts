/** Network → plan: tensors with their borders, steps in order, and a place in memory for everything. */
import { fp32 } from '../fp32/plan-layers.ts';
import { int8 } from '../int8/plan-layers.ts';
import {
  type Edges,
  inputsOf,
  type Layer,
  type Network,
  pixels,
  type Shape,
  size,
  type Value,
} from '../network/network.ts';
import { Unsupported } from '../unsupported.ts';
import { createAddressSpace } from './address-space.ts';
import { type ArenaBlock, aligned, type Lifetime, placeBlocks } from './arena.ts';
import type { Constant, Plan, Step, WeightLoad } from './plan.ts';
import { noBorder, type Tensor, tensorBytes, union } from './tensor.ts';

/** What a number format decides. */
export interface FormatPlanner {
  readonly format: Plan['format'];
  /** Bytes of an activation, and how many channels are stored; `isInput` tells the network's input. */
  tensorLayout(value: Value, isInput: boolean): { elementBytes: number; channels: number };
  /** What a layer reads around its input; `isInput` tells that it is the network's. */
  border(layer: Layer, isInput: boolean): Edges;
  planInput(builder: PlanBuilder, input: ArenaBlock, tensor: Tensor, layout: 'NCHW' | 'NHWC'): void;
  /** @throws Unsupported */
  planLayer(builder: PlanBuilder, layer: Layer): void;
}

/** What a number format's planner calls. */
export interface PlanBuilder {
  /** Where a value lies. */
  tensor(value: Value): Tensor;
  isInput(value: Value): boolean;
  /** Room in the context for as long as steps use it. */
  block(bytes: number): ArenaBlock;
  /** Constants in memory for the engine's life; equal keys share one place. */
  constant(key: string, make: () => Int32Array | Float32Array): number;
  /** Room for packed weights. */
  reserve(bytes: number): number;
  /** Makes sure that every thread has that much scratch. */
  scratch(bytes: number): void;
  load(load: WeightLoad): void;
  /** Appends a step; `uses` are the blocks and tensors that it reads or writes. */
  step(step: Step, uses: readonly (ArenaBlock | undefined)[]): void;
}

export interface PlanOptions {
  readonly threads: number;
  readonly layout: 'NCHW' | 'NHWC';
}

/** Bytes of a step's two counters: a cache line. */
export const counterBytes = 64;
/** A 32-bit memory, less a page. */
const mostBytes = 2 ** 32 - 65536;

export function planNetwork(
  network: Network,
  { threads, layout }: PlanOptions,
): { plan: Plan; constants: readonly Constant[] } {
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
