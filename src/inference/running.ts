/** What an engine that may be replaced is to those who have it run. */
import type { Engine } from './engine.ts';

/** An engine and the model that it runs: one that replaces another may run another variant. */
export interface Running<Model> {
  readonly engine: Engine;
  readonly model: Model;
}

/** Rows in the order of the inputs, and the model that they are of. */
export interface Ran<Model> {
  readonly rows: Float32Array[];
  readonly model: Model;
}

/** The engine was lost with this run, and what replaces it is there: nothing is wrong with the images, which are to be run again. */
export class ReplacedError extends Error {
  override readonly name = 'ReplacedError';
}
