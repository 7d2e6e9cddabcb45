import { describe, expect, test } from 'bun:test';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ModelError } from '../../model/errors.ts';
import { convLayers, layOut } from '../../model/resnet/layers.ts';
import { resnet50KerasV1 } from '../../model/resnet/spec.ts';
import { openKerasFile } from '../../model/weights/hdf5.ts';
import {
  kerasTf2Scheme,
  kerasV1Scheme,
  kerasWeights,
  recogniseScheme,
} from '../../model/weights/keras.ts';
import { openWeights } from '../../model/weights/open-weights.ts';
import { testFolder } from '../support/test-folder.ts';
import { randomLayers, tinySpec } from './support/random-weights.ts';
import { type KerasEdits, layouts, writeKeras } from './support/write-keras.ts';

const folder = testFolder('keras');

const spec = tinySpec(resnet50KerasV1);
const layers = randomLayers(spec, 5);
let count = 0;

function write(layout: keyof typeof layouts, edits: KerasEdits = {}): string {
  const path = join(folder, `${count++}.h5`);
  writeKeras(path, layers, layouts[layout], edits);
  return path;
}

/** Reads every layer of the network. */
async function readAll(path: string) {
  const file = await openKerasFile(path);
  try {
    const scheme = recogniseScheme(file);
    const read = kerasWeights(file, scheme, spec);
    return { scheme, weights: convLayers(layOut(spec)).map(read) };
  } finally {
    file.close();
  }
}

describe('openWeights of Keras files', () => {
  for (const layout of Object.keys(layouts) as (keyof typeof layouts)[])
    test(`kerasWeights, ${layout} names give the values back`, async () => {
      const { scheme, weights } = await readAll(write(layout));
      expect(scheme).toBe(layout === 'TensorFlow 2' ? kerasTf2Scheme : kerasV1Scheme);
      for (const [index, { layer, ...written }] of layers.entries())
        expect({ id: layer.id, ...weights[index] }).toEqual({ id: layer.id, ...written });
    });

  const variants: Record<string, KerasEdits> = {
    'a whole saved model': { group: 'model_weights' },
    'a split list of layers': { split: true },
    'compressed datasets': { gzip: true },
    'a classifier on top': { extra: ['fc1000'] },
  };
  for (const [what, edits] of Object.entries(variants))
    test(`kerasWeights, ${what}`, async () => {
      const { weights } = await readAll(write('Keras 2', edits));
      expect(weights[0]?.kernel).toEqual(layers[0]!.kernel);
    });
});

test('openWeights, the TensorFlow 2 namesake never passes for the tutorial model', async () => {
  const path = join(folder, 'resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5');
  // All of ResNet50's layers, one filter each: names alone decide.
  const thin = randomLayers({ ...resnet50KerasV1, filters: [1, 1, 1, 1], stemFilters: 1 }, 1);
  writeKeras(path, thin, layouts['TensorFlow 2']);
  const { recipe, close } = await openWeights(path);
  close();
  expect(recipe.name).toBe('resnet50_tf2_encoder');
  expect(recipe.spec).toEqual({
    ...resnet50KerasV1,
    architecture: 'resnet50-keras-tf2',
    epsilon: 1.001e-5,
  });
});

describe('damaged and foreign Keras files', () => {
  const zeros = (...shape: number[]) => ({
    shape,
    values: new Float32Array(shape.reduce((product, side) => product * side)),
  });
  const values = (...list: number[]) => ({ shape: [8], values: Float32Array.from(list) });
  const cases: Record<string, [KerasEdits, RegExp]> = {
    'a missing convolution': [
      { without: ['res3a_branch1'] },
      /\.h5: layer res3a_branch1 is missing/,
    ],
    'a missing batch norm': [{ without: ['bn4a_branch2b'] }, /layer bn4a_branch2b is missing/],
    'a layer of another network': [
      { extra: ['res4b22_branch2a'] },
      /layer res4b22_branch2a does not belong to resnet50-keras-v1/,
    ],
    'another shape': [
      { replace: { 'conv1_W:0': zeros(8, 3, 7, 7) } },
      /layer conv1: conv1_W:0 has shape \[8, 3, 7, 7\], not \[7, 7, 3, 8\]/,
    ],
    'another type': [
      { replace: { 'conv1_b:0': { shape: [8], values: new Float64Array(8) } } },
      /layer conv1: conv1_b:0 is not float32 but "<d"/,
    ],
    NaN: [
      { replace: { 'bn_conv1_gamma:0': values(1, 1, Number.NaN, 1, 1, 1, 1, 1) } },
      /layer bn_conv1: bn_conv1_gamma:0: value 2 is NaN/,
    ],
    infinity: [
      { replace: { 'conv1_b:0': values(0, 0, 0, 0, 0, 0, 0, Number.POSITIVE_INFINITY) } },
      /layer conv1: conv1_b:0: value 7 is Infinity/,
    ],
    'a negative variance': [
      { replace: { 'bn_conv1_running_std:0': values(1, -1, 1, 1, 1, 1, 1, 1) } },
      /layer bn_conv1: bn_conv1_running_std:0: value 1 is -1, and a variance cannot be negative/,
    ],
    'a kernel that was never written': [
      { replace: { 'conv1_W:0': zeros(7, 7, 3, 8) } },
      /layer conv1: conv1_W:0: all 1176 values are zero, which no trained kernel is/,
    ],
    'a variance that was never written': [
      { replace: { 'bn_conv1_running_std:0': zeros(8) } },
      /layer bn_conv1: bn_conv1_running_std:0: all 8 values are zero/,
    ],
    'a gamma that was never written': [
      { replace: { 'bn_conv1_gamma:0': zeros(8) } },
      /layer bn_conv1: bn_conv1_gamma:0: all 8 values are zero/,
    ],
  };
  for (const [what, [edits, message]] of Object.entries(cases))
    test(`kerasWeights, ${what} is named`, async () => {
      const failure = readAll(write('Keras 1', edits));
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toBeInstanceOf(ModelError);
    });

  test('recogniseScheme, weights of another network', async () => {
    const names = layers.flatMap(({ layer }) =>
      Object.values(layouts['Keras 1'].layerNames(layer)),
    );
    const path = write('Keras 1', { without: names, extra: ['block1_conv1', 'block1_conv2'] });
    await expect(readAll(path)).rejects.toThrow(
      /not ResNet50's: the layers with weights are block1_conv1, block1_conv2/,
    );
  });

  test('recogniseScheme, both layouts in one file', async () => {
    const path = write('Keras 1', { extra: ['conv1_conv'] });
    await expect(readAll(path)).rejects.toThrow(/two different ResNet50 layouts/);
  });

  test('kerasWeights, a convolution without its bias', async () => {
    const { layerNames, weightNames } = layouts['Keras 1'];
    const path = join(folder, 'no-bias.h5');
    // The writer puts a weight once under each name: a kernel that is also called bias leaves one weight.
    const once = (layer: string) => {
      const [kernel, , ...rest] = weightNames(layer);
      return [kernel, kernel, ...rest] as ReturnType<typeof weightNames>;
    };
    writeKeras(path, layers, { layerNames, weightNames: once });
    await expect(readAll(path)).rejects.toThrow(
      /layer conv1 has 1 weights \(conv1_W:0\), not 2 \(kernel, bias\)/,
    );
  });

  test('openKerasFile, an HDF5 file without layers', async () => {
    const path = write('Keras 1', { group: 'elsewhere' });
    await expect(readAll(path)).rejects.toThrow(/no attribute layer_names/);
  });

  test('openKerasFile, every shorter file is refused', async () => {
    const whole = write('Keras 1');
    const size = readFileSync(whole).length;
    const path = join(folder, 'short.h5');
    for (const keep of [0, 7, 8, 96, 1000, size >> 1, size - 4096, size - 1]) {
      copyFileSync(whole, path);
      truncateSync(path, keep);
      await expect(readAll(path)).rejects.toBeInstanceOf(ModelError);
      await expect(readAll(path)).rejects.toThrow(path);
    }
  });

  test('openKerasFile, a damaged file gives values or a ModelError, nothing else', async () => {
    const whole = readFileSync(write('Keras 1'));
    const path = join(folder, 'damaged.h5');
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(damage, async (bytes) => {
        const damaged = Buffer.from(whole);
        for (const [at, value] of bytes) damaged[at] = value;
        writeFileSync(path, damaged);
        const outcome = await readAll(path).catch((error: unknown) => error);
        expect(outcome instanceof ModelError || !(outcome instanceof Error)).toBe(true);
      }),
      { numRuns: 40, seed: 1, interruptAfterTimeLimit: 4000 },
    );
  }, 180_000);
});
