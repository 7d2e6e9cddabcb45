import type { Model } from '../model/open-model.ts';

/** A picture of the model's size, in the range that photos have after its preprocessing. */
export function sampleFor({
  manifest: { graph, preprocess },
}: Pick<Model, 'manifest'>): Float32Array {
  const amplitude = (127 * preprocess.scale) / preprocess.std[0];
  return sampleInput(3 * graph.height * graph.width, 1, amplitude);
}

/**
 * A preprocessed picture made by code: smooth waves with some grain, in the range that photos have after the mean is
 * taken away. For warming up, timing and comparing engines; random noise alone would leave most of a network idle.
 * @param size - number of values
 * @param seed - different pictures for different seeds
 * @param amplitude - of the values, about
 */
export function sampleInput(size: number, seed: number, amplitude: number): Float32Array {
  const values = new Float32Array(size);
  // mulberry32, public domain: the picture must be the same everywhere.
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const waves = Array.from({ length: 6 }, () => ({
    frequency: 10 ** (-4 + 3.5 * random()),
    phase: 2 * Math.PI * random(),
  }));
  for (let i = 0; i < size; i++) {
    let value = 0.4 * (random() - 0.5);
    for (const { frequency, phase } of waves) value += 0.3 * Math.sin(frequency * i + phase);
    values[i] = amplitude * value;
  }
  return values;
}
