import type { NodeProto } from '../../../gen/onnx/onnx_pb.ts';
import type { Attributes } from '../onnx/attributes.ts';
import type { SliceReader } from '../onnx/slice-reader.ts';
import type { StoredTensor } from '../onnx/stored-model.ts';
import type { Unsupported } from '../unsupported.ts';
import type { Layer, Shape, Value } from './network.ts';

/** What an operator's translation sees of its node. */
export interface NodeContext {
  readonly name: string;
  readonly attributes: Attributes;
  readonly reader: SliceReader;
  /** The activations that are input `index`. */
  value(index: number): Value;
  /** Dimensions of the tensor that is input `index`: the batch, the channels, and the map's two or as many ones as are left. */
  rank(index: number): number;
  /** The constant that is input `index`; undefined when it is left out. */
  optionalTensor(index: number): StoredTensor | undefined;
  tensor(index: number): StoredTensor;
  /** Makes the node's output a constant. */
  define(tensor: StoredTensor): void;
  /** How often input `index` is read, by this node and by others. */
  readers(index: number): number;
  /** Tells an input that flows from a constant. */
  isConstant(index: number): boolean;
  /** A new value for the node's output. */
  output(shape: Shape): Value;
  /** Adds a layer; its output is the node's. */
  push(layer: Layer): void;
  /** Makes the node's output another name of a value. @param rank - by default that of input 0 */
  alias(value: Value, rank?: number): void;
  /** The network's input, where input `index` is that in the order height, width, channels. */
  interleavedInput(index: number): Value | undefined;
  /** The layer that made the value of input `index`; undefined for the network's input. */
  producer(index: number): Layer | undefined;
  /** The graph's node that made the value of input `index`, for patterns over several nodes. */
  madeBy(index: number): NodeProto | undefined;
  readonly node: NodeProto;
  unsupported(reason: string): Unsupported;
}
