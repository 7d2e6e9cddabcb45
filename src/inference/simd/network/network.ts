/**
 * A convolutional network as a list of layers: what is left of an ONNX graph once attributes are read, shapes are known
 * and constants are told from values. One image at a time; number formats come later.
 */
import type { StoredTensor } from '../onnx/stored-model.ts';

export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** An activation as an integer: value = integer · scale. */
export interface Quantisation {
  readonly scale: number;
  /** What the file adds to the integer to store it. */
  readonly zeroPoint: number;
  /** Bounds of the integer. */
  readonly least: number;
  readonly most: number;
}

/** A convolution's weights in 8 bits, and its bias in the accumulators' unit: input scale · weight scale. */
export interface QuantisedWeights {
  /** One per output channel. */
  readonly scales: Float32Array;
  readonly bias: Int32Array | undefined;
}

/** What flows between layers: one image's activations. Compared by identity. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  /** How it is stored as an integer, once the graph has said so; a float otherwise. */
  quantised?: Quantisation;
}

export interface Window {
  readonly height: number;
  readonly width: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padding: Edges;
}

export interface Edges {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

interface LayerBase {
  /** That of the ONNX node's output, which unlike the node's is unique. */
  readonly name: string;
  readonly input: Value;
  readonly output: Value;
}

/** `relu?(scale · conv(input) + bias (+ residual))`, scale and bias per output channel. */
export interface ConvLayer extends LayerBase {
  readonly kind: 'conv';
  readonly window: Window;
  /** `[outChannels, inChannels, height, width]`, float32 or, when `quantised`, INT8. */
  readonly weights: StoredTensor;
  readonly quantised: QuantisedWeights | undefined;
  readonly scale: Float32Array | undefined;
  readonly bias: Float32Array | undefined;
  readonly residual: Value | undefined;
  readonly relu: boolean;
}

/** `scale · input + shift` per channel. */
export interface BatchNormLayer extends LayerBase {
  readonly kind: 'batchNorm';
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

export interface AddLayer extends LayerBase {
  readonly kind: 'add';
  readonly other: Value;
  readonly relu: boolean;
}

export interface ReluLayer extends LayerBase {
  readonly kind: 'relu';
}

export interface MaxPoolLayer extends LayerBase {
  readonly kind: 'maxPool';
  readonly window: Window;
}

export interface AveragePoolLayer extends LayerBase {
  readonly kind: 'globalAveragePool';
}

/** Divides by the Euclidean norm over all channels. Maps of one pixel only. */
export interface NormaliseLayer extends LayerBase {
  readonly kind: 'normalise';
}

export type Layer =
  | ConvLayer
  | BatchNormLayer
  | AddLayer
  | ReluLayer
  | MaxPoolLayer
  | AveragePoolLayer
  | NormaliseLayer;

export interface Network {
  readonly input: Value;
  readonly output: Value;
  /** Each after those whose outputs it reads. */
  readonly layers: readonly Layer[];
}

/** The values a layer reads. */
export function inputsOf(layer: Layer): Value[] {
  if (layer.kind === 'add') return [layer.input, layer.other];
  if (layer.kind === 'conv' && layer.residual) return [layer.input, layer.residual];
  return [layer.input];
}

export const pixels = ({ height, width }: Shape): number => height * width;
export const size = (shape: Shape): number => shape.channels * pixels(shape);
