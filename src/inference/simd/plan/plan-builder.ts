/** What the planner of a network and the planner of a number format know of each other. */
import type { Edges, Layer, Value } from '../network/network.ts';
import type { ArenaBlock } from './arena.ts';
import type { Plan, Step, WeightLoad } from './plan.ts';
import type { Tensor } from './tensor.ts';

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
