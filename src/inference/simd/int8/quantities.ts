/** Scales as the kernels take them, and what these ask of the numbers they get. */
import type {
  ConvLayer,
  Layer,
  Quantisation,
  QuantisedWeights,
  Value,
} from '../network/network.ts';
import { Unsupported } from '../unsupported.ts';

/** @throws Unsupported when the value is a float, or does not fit into a signed byte */
export function bytesOf(value: Value, layer: Layer): Quantisation {
  const { quantised } = value;
  const refuse = (what: string) =>
    new Unsupported(`${layer.kind} ${layer.name}: ${value.name} ${what}`);
  if (!quantised) throw refuse('is not quantised');
  const { least, most } = quantised;
  if ((least !== 0 && least !== -128) || most !== 127)
    throw refuse(`is ${least}..${most}, 8-bit activations must be 0..127 or -128..127`);
  return quantised;
}

/** A convolution of bytes. */
export interface Int8Conv {
  readonly layer: ConvLayer;
  readonly weights: QuantisedWeights;
  readonly input: Quantisation;
  readonly output: Quantisation;
  /** Step of the residual in steps of the output. */
  readonly residualScale: number;
  /** The least byte to store: a ReLU is one that saturates at 0. */
  readonly least: number;
}

/** Largest size of a weight times that of an activation. */
const largestProduct = 128 * 127;

/** @throws Unsupported when the sums could leave 32 bits, or the input is not 0..127 */
export function int8Conv(layer: ConvLayer, weights: QuantisedWeights): Int8Conv {
  const { name, residual, relu, window } = layer;
  const input = bytesOf(layer.input, layer);
  const output = bytesOf(layer.output, layer);
  if (input.least < 0) throw new Unsupported(`conv ${name}: its input may be negative`);
  if (layer.scale)
    throw new Unsupported(`conv ${name}: a batch normalisation behind 8-bit weights`);
  const products = window.height * window.width * layer.input.shape.channels;
  const bias = weights.bias?.reduce((most, value) => Math.max(most, Math.abs(value)), 0) ?? 0;
  if (products * largestProduct + bias >= 2 ** 31)
    throw new Unsupported(`conv ${name}: its sums could leave 32 bits`);
  return {
    layer,
    weights,
    input,
    output,
    residualScale: residual ? ratio(bytesOf(residual, layer).scale, output.scale) : 0,
    least: leastByte(output, relu),
  };
}

export const leastByte = ({ least }: Quantisation, relu: boolean): number =>
  Math.max(least, relu ? 0 : -128);

/** A scale in steps of another, as a float32. */
export const ratio = (scale: number, step: number): number => Math.fround(scale / step);

/** What an integer sum of output channel `channel` is worth, in steps of the output. */
export const sumScale = ({ weights, input, output }: Int8Conv, channel: number): number =>
  (input.scale * weights.scales[channel]!) / output.scale;
