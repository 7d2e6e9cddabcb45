/** Random graphs that store their values as bytes: where a quantised file does, and now and then where none would. */
import { createRandom } from '../../../model/random.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { createStoredGraph, type Storage } from './stored-graph.ts';

interface Map {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** About the root of its values' mean square. */
  readonly spread: number;
  /** Of the bytes that it comes from. */
  readonly scale: number;
}

export interface RandomStoredGraph {
  readonly model: SimdModel;
  /** Operators, for the message. */
  readonly operators: string;
  /** Of the bytes that are pooled at the end; of floats what rounding may come to. */
  readonly scale: number;
}

/** An image's values are from -100 to 100. */
const imageSpread = 58;
/** Of a convolution's weights: those in INT8 go up to 60 of 127. */
const floatSpread = 0.58;
const integerSpread = 35;
const weightScale = 0.01;

/** @param seed - different graphs for different seeds */
export function randomStoredGraph(seed: number): RandomStoredGraph {
  const random = createRandom(seed);
  const below = (end: number): number => random.uint32() % end;
  const between = (least: number, most: number): number => least + below(most - least + 1);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const perhaps = (share: number): boolean => random.uint32() / 2 ** 32 < share;
  const graph = createStoredGraph();
  /** Nothing is in bytes, or the image alone. */
  const float = perhaps(0.1);

  /** @param range - in spreads: with 1 a third of the values saturate, with 4 hardly any */
  function stored(map: Map, storage: Storage, range: number, always = false): Map {
    if (float && !always) return map;
    const scale = Math.fround((map.spread * range) / 127);
    return { ...map, name: graph.stored(map.name, storage, scale), scale };
  }

  function conv(map: Map, channels: number, padded: boolean, integers: boolean): Map {
    const weights = integers && !float ? weightScale : undefined;
    const side = padded ? 3 : 1;
    const depth = map.channels * side * side;
    const name = graph.conv(map.name, [channels, map.channels, side, side], {
      ...{ seed: below(1e6), scale: weights },
      attributes: padded ? { pads: [1, 1, 1, 1] } : {},
    });
    const weightSpread = weights === undefined ? floatSpread : weights * integerSpread;
    return { ...map, name, channels, spread: map.spread * Math.sqrt(depth) * weightSpread };
  }

  /** What comes from a convolution or an addition, behind its ReLU. */
  function activated(map: Map): Map {
    let before = map;
    if (perhaps(0.06)) before = stored(before, pick(['signed', 'shifted']), pick([0.5, 4]));
    if (perhaps(0.06)) before = { ...before, name: graph.normalised(before.name, before.channels) };
    const after = { ...before, name: graph.add('Relu', [before.name]) };
    return perhaps(0.04) ? after : stored(after, 'positive', pick([1, 2, 4, 4]));
  }

  function pooled(map: Map): Map | undefined {
    if (Math.min(map.height, map.width) < 2) return undefined;
    const name = graph.add('MaxPool', [map.name], { kernel_shape: [2, 2], strides: [1, 2] });
    const made = { ...map, name, height: map.height - 1, width: Math.floor(map.width / 2) };
    const scale = perhaps(0.1) ? map.scale * 2 : map.scale;
    const spread = map.spread * 1.5;
    return { ...made, name: float ? name : graph.stored(name, 'positive', scale), scale, spread };
  }

  /** Of two convolutions, or of one and what it reads; the operands are stored so that they hardly saturate. */
  function added(map: Map): Map {
    const skip = perhaps(0.5);
    const channels = skip ? map.channels : pick([8, 16, 20]);
    const operand = (): Map => {
      const made = conv(map, channels, perhaps(0.5), true);
      if (perhaps(0.04)) return made;
      return stored(
        made,
        perhaps(0.2) ? 'positive' : pick(['signed', 'signed', 'signed', 'shifted']),
        4,
      );
    };
    const operands = [operand(), skip ? map : operand()];
    if (perhaps(0.5)) operands.reverse();
    const [a, b] = operands as [Map, Map];
    return {
      ...a,
      name: graph.add('Add', [a.name, b.name]),
      spread: Math.hypot(a.spread, b.spread),
    };
  }

  const size = { height: between(4, 20), width: between(4, 20) };
  let image: Map = { name: 'input', channels: 3, ...size, spread: imageSpread, scale: 1 };
  if (perhaps(float ? 0.5 : 0.1)) image = stored(image, 'signed', 1, true);
  const maps = [activated(conv(image, pick([8, 16, 20]), perhaps(0.5), false))];
  for (let left = between(0, 4); left > 0; left--) {
    const map = perhaps(0.7) ? maps.at(-1)! : pick(maps);
    const made = pick([
      () => activated(conv(map, pick([8, 16, 20, 33]), perhaps(0.7), perhaps(0.97))),
      () => pooled(map),
      () => activated(added(map)),
      () => activated(added(map)),
    ])();
    if (made) maps.push(made);
  }

  // What is left over then is dead, or another output of the graph.
  const last = perhaps(0.7) ? maps.at(-1)! : pick(maps);
  const end = graph.add('GlobalAveragePool', [last.name]);
  const others = perhaps(0.3) ? [pick(maps).name] : [];
  const vector = { ...last, name: end, height: 1, width: 1 };
  if (perhaps(0.2)) others.push(conv(vector, 8, true, false).name);
  return {
    model: graph.model(end, size, last.channels, others),
    operators: graph.operators.join(' '),
    scale: float ? last.spread * 1e-4 : last.scale,
  };
}
