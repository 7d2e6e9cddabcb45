/**
 * Layers into fewer layers: batch normalisation into the convolution before it, an addition into the later of its two
 * convolutions, a ReLU into whatever precedes it. What remains has no pass over memory that a convolution can do on its way.
 *
 * A value between two layers that the graph stores in 8 bits is rounded and saturates there, so these are not joined. An
 * addition is the exception that docs/int8.md tells of.
 */
import { inputsOf, type Layer, type Network, type Value } from './network.ts';

export function fuse(network: Network): Network {
  return fuseRelus(fuseAdditions(foldBatchNorms(network)));
}

interface Uses {
  /** The layer that makes a value, if one does and the value has no other reader than the one asking. */
  soleProducer(value: Value): Layer | undefined;
  /** Position of a value's producer among the layers; −1 for the network's input. */
  madeAt(value: Value): number;
}

/** Replaces each layer that `merge` can join with an earlier one: `merge` returns the earlier one and their union. */
function joinLayers(
  { input, output, layers }: Network,
  merge: (layer: Layer, uses: Uses) => { into: Layer; union: Layer } | undefined,
): Network {
  const joined: (Layer | undefined)[] = [...layers];
  const madeAt = new Map(layers.map((layer, index) => [layer.output, index]));
  const readers = new Map([[output, 1]]);
  for (const value of layers.flatMap(inputsOf)) readers.set(value, (readers.get(value) ?? 0) + 1);
  const uses: Uses = {
    madeAt: (value) => madeAt.get(value) ?? -1,
    soleProducer: (value) =>
      readers.get(value) === 1 ? joined[madeAt.get(value) ?? -1] : undefined,
  };
  for (const [index, layer] of layers.entries()) {
    const merged = merge(layer, uses);
    if (!merged) continue;
    const at = uses.madeAt(merged.into.output);
    joined[at] = merged.union;
    joined[index] = undefined;
    madeAt.set(merged.union.output, at);
  }
  return { input, output, layers: joined.filter((layer) => layer !== undefined) };
}

/** `s (W x + b) + t` is a convolution too: with `s W` and `s b + t`. The weights are multiplied when they are packed. */
const foldBatchNorms = (network: Network): Network =>
  joinLayers(network, (layer, uses) => {
    if (layer.kind !== 'batchNorm') return undefined;
    const conv = uses.soleProducer(layer.input);
    if (conv?.kind !== 'conv' || layer.input.quantised) return undefined;
    const scale = layer.scale.map((s, i) => s * (conv.scale?.[i] ?? 1));
    const bias = layer.shift.map((t, i) => t + layer.scale[i]! * (conv.bias?.[i] ?? 0));
    return { into: conv, union: { ...conv, scale, bias, output: layer.output } };
  });

const fuseAdditions = (network: Network): Network =>
  joinLayers(network, (layer, uses) => {
    if (layer.kind !== 'add') return undefined;
    const [earlier, later] = [layer.input, layer.other].sort(
      (a, b) => uses.madeAt(a) - uses.madeAt(b),
    ) as [Value, Value];
    const conv = uses.soleProducer(later);
    if (conv?.kind !== 'conv' || conv.residual || earlier === later) return undefined;
    if (!isAllOfAByte(later)) return undefined;
    return { into: conv, union: { ...conv, residual: earlier, output: layer.output } };
  });

/** Not so 0..127, for one: behind a convolution such bounds may be what the graph has for a ReLU. */
const isAllOfAByte = ({ quantised }: Value): boolean =>
  !quantised || (quantised.least === -128 && quantised.most === 127);

const fuseRelus = (network: Network): Network =>
  joinLayers(network, (layer, uses) => {
    if (layer.kind !== 'relu') return undefined;
    const before = uses.soleProducer(layer.input);
    if (before?.kind !== 'conv' && before?.kind !== 'add') return undefined;
    if (layer.input.quantised) return undefined;
    return { into: before, union: { ...before, relu: true, output: layer.output } };
  });
