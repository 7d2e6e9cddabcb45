/**
 * Calibration pictures made by code, for when no photographs are given: "dead leaves", opaque shapes of all sizes that fall
 * on each other. With radii whose density falls with the cube they share the scale invariance, the edges and the heavy
 * tails of photographs (A. Lee, D. Mumford, J. Huang, "Occlusion models for natural images", 2001), which random noise
 * and smooth waves do not.
 */
import type { Pixels } from '../../src/image/pixels.ts';
import { createRandom } from '../random.ts';

/** Side of the pictures in pixels; resizing to the network's input treats them as it treats photographs. */
const side = 384;
const leaves = 600;
const [smallest, largest] = [6, 200];

type Colour = readonly [number, number, number];

interface Leaf {
  readonly x: number;
  readonly y: number;
  /** Half axes along and across, and the direction of the first as a unit vector. */
  readonly along: number;
  readonly across: number;
  readonly cos: number;
  readonly sin: number;
  readonly box: boolean;
  readonly colour: Colour;
  /** Change of brightness from one end of the leaf to the other. */
  readonly shade: number;
  /** Amplitude and period in pixels of the stripes and of the grain on it. */
  readonly stripes: number;
  readonly period: number;
  readonly grain: number;
}

/** @param seed - different pictures for different seeds, the same on every machine */
export function deadLeaves(seed: number): Pixels {
  const random = createRandom(seed);
  const uniform = (low = 0, high = 1): number => low + ((high - low) * random.uint32()) / 2 ** 32;
  const palette = Array.from({ length: 5 }, (): Colour => {
    const light = uniform(20, 235);
    const tint = uniform(0, 70);
    return [
      light + tint * uniform(-1, 1),
      light + tint * uniform(-1, 1),
      light + tint * uniform(-1, 1),
    ];
  });
  // Exposure and contrast vary between pictures as they do between photographs.
  const gain = uniform(0.5, 1.15);
  const offset = uniform(-25, 40);
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < leaves; i++) {
    // The first, at the bottom, covers everything.
    const radius = i === 0 ? 8 * side : 1 / Math.sqrt(uniform(largest ** -2, smallest ** -2));
    draw(data, randomLeaf(uniform, radius, palette), gain, offset, random.normal);
  }
  return { width: side, height: side, channels: 3, data };
}

function randomLeaf(
  uniform: (low?: number, high?: number) => number,
  radius: number,
  palette: readonly Colour[],
): Leaf {
  const angle = uniform(0, Math.PI);
  const base = palette[Math.floor(uniform(0, palette.length))]!;
  const vary = uniform(0, 45);
  return {
    x: uniform(0, side),
    y: uniform(0, side),
    along: radius,
    across: radius * uniform(0.25, 1),
    cos: Math.cos(angle),
    sin: Math.sin(angle),
    box: uniform() < 0.3,
    colour: [
      base[0] + vary * uniform(-1, 1),
      base[1] + vary * uniform(-1, 1),
      base[2] + vary * uniform(-1, 1),
    ],
    shade: uniform(-60, 60),
    stripes: uniform() < 0.4 ? uniform(0, 45) : 0,
    period: uniform(3, 24),
    grain: uniform() < 0.5 ? uniform(0, 18) : 0,
  };
}

function draw(
  data: Uint8Array,
  leaf: Leaf,
  gain: number,
  offset: number,
  normal: () => number,
): void {
  const { x, y, along, across, cos, sin, box, colour, shade, stripes, period, grain } = leaf;
  const reach = Math.ceil(box ? along + across : along);
  const clip = (value: number): number => Math.max(0, Math.min(side, Math.floor(value)));
  for (let row = clip(y - reach); row < clip(y + reach + 1); row++)
    for (let column = clip(x - reach); column < clip(x + reach + 1); column++) {
      const u = ((column - x) * cos + (row - y) * sin) / along;
      const v = ((row - y) * cos - (column - x) * sin) / across;
      if (box ? Math.max(Math.abs(u), Math.abs(v)) > 1 : u * u + v * v > 1) continue;
      let light = shade * u;
      if (stripes > 0) light += stripes * Math.sin((2 * Math.PI * u * along) / period);
      if (grain > 0) light += grain * normal();
      for (let c = 0; c < 3; c++) {
        const value = (colour[c]! + light) * gain + offset;
        data[(row * side + column) * 3 + c] = Math.max(0, Math.min(255, Math.round(value)));
      }
    }
}
