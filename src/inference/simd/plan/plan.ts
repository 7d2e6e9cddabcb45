/**
 * The plan: everything the threads need to know to run a network, as plain data that goes to them in one message. All
 * addresses are bytes in the one memory; offsets are bytes within an image's context.
 */
import type { FloatWeightLoad } from '../common/steps.ts';
import type { Fp32Step } from '../fp32/steps.ts';
import type { Int8Step, Int8WeightLoad } from '../int8/steps.ts';
import type { ArenaBlock } from './arena.ts';

export interface Plan {
  /** Which kernels the steps mean. */
  readonly format: 'fp32' | 'int8';
  /** Size of the memory. */
  readonly memoryBytes: number;
  /** Computing threads, and contexts. */
  readonly threads: number;
  readonly control: Control;
  /** Room for a thread's own intermediate results: `address + thread · bytes`. */
  readonly scratch: Region;
  /** One per image in flight: `address + index · bytes`. The steps' counters lie at the start of each. */
  readonly contexts: Region;
  /** The image as it came, `inputValues` float32. */
  readonly input: ArenaBlock;
  readonly inputValues: number;
  /** The network's output, `outputValues` float32. Without a border: nothing that it depends on reads it (needed-nodes.ts). */
  readonly output: ArenaBlock;
  readonly outputValues: number;
  /** Weights to read and to pack at the start, in pieces for the threads to share out. */
  readonly loads: readonly WeightLoad[];
  readonly steps: readonly Step[];
}

/** Bytes of a step's counters: a cache line. */
export const counterBytes = 64;

/** An int8 plan has float32 steps at both ends. */
export type Step = Fp32Step | Int8Step;
export type WeightLoad = FloatWeightLoad | Int8WeightLoad;

/** Addresses of the words that threads signal each other with, beside the contexts' counters. */
export interface Control {
  /** Weight loads already taken. */
  readonly loadCounter: number;
  /** Not 0 once the engine has failed or closed: no thread waits for another any longer. */
  readonly abort: number;
}

export interface Region {
  readonly address: number;
  readonly bytes: number;
}

/** What the main thread writes into the memory before anything runs. */
export interface Constant {
  readonly address: number;
  readonly values: Int32Array | Float32Array;
}
