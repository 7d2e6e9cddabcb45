/**
 * Layers into fewer layers: batch normalisation into the convolution before it, an addition into the later of its two
 * convolutions, a ReLU into whatever precedes it. What remains has no pass over memory that a convolution can do on its way.
 */
import { inputsOf, type Layer, type Network, type Value } from './network.ts';

export function fuse(network: Network): Network {
  return fuseRelus(fuseAdditions(foldBatchNorms(network)));
}

interface Uses {
  /** The layer that makes a value, when one does, and nothing but `user` reads it. */
  soleProducer(value: Value, user: Layer): Layer | undefined;
  /** Position of a value's producer among the layers; −1 for the network's input. */
  madeAt(value: Value): number;
}

function usesOf({ layers, output }: Network): Uses {
  const producers = new Map(layers.map((layer, index) => [layer.output, index]));
  const readers = new Map<Value, Set<Layer | 'output'>>([[output, new Set(['output' as const])]]);
  for (const layer of layers)
    for (const value of inputsOf(layer))
      readers.set(value, (readers.get(value) ?? new Set()).add(layer));
  const madeAt = (value: Value): number => producers.get(value) ?? -1;
  return {
    madeAt,
    soleProducer(value, user) {
      const readBy = readers.get(value);
      return readBy?.size === 1 && readBy.has(user) ? layers[madeAt(value)] : undefined;
    },
  };
}

/** Replaces each layer that `merge` can join with an earlier one: `merge` returns the earlier one and their union. */
function joinLayers(
  network: Network,
  merge: (layer: Layer, uses: Uses) => { into: Layer; union: Layer } | undefined,
): Network {
  let { layers } = network;
  for (const layer of network.layers) {
    const merged = merge(layer, usesOf({ ...network, layers }));
    if (merged)
      layers = layers.flatMap((l) => (l === layer ? [] : l === merged.into ? [merged.union] : [l]));
  }
  return { ...network, layers };
}

/** `s (W x + b) + t` is a convolution too: with `s W` and `s b + t`. The weights are multiplied when they are packed. */
const foldBatchNorms = (network: Network): Network =>
  joinLayers(network, (layer, uses) => {
    if (layer.kind !== 'batchNorm') return undefined;
    const conv = uses.soleProducer(layer.input, layer);
    if (conv?.kind !== 'conv') return undefined;
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
    const conv = uses.soleProducer(later, layer);
    if (conv?.kind !== 'conv' || earlier === later) return undefined;
    return { into: conv, union: { ...conv, residual: earlier, output: layer.output } };
  });

const fuseRelus = (network: Network): Network =>
  joinLayers(network, (layer, uses) => {
    if (layer.kind !== 'relu') return undefined;
    const before = uses.soleProducer(layer.input, layer);
    if (before?.kind !== 'conv' && before?.kind !== 'add') return undefined;
    return { into: before, union: { ...before, relu: true, output: layer.output } };
  });
