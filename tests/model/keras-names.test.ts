/** What a Keras file says of its weights beside their numbers: their names, and a saved model's own description. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ModelError } from '../../model/errors.ts';
import { convLayers, layOut } from '../../model/resnet/layers.ts';
import { resnet50KerasV1, resnet50Tf2 } from '../../model/resnet/spec.ts';
import { openKerasFile } from '../../model/weights/hdf5.ts';
import { kerasWeights, recogniseScheme } from '../../model/weights/keras.ts';
import { testFolder } from '../support/test-folder.ts';
import { randomLayers, tinySpec } from './support/random-weights.ts';
import { type KerasEdits, layouts, writeKeras } from './support/write-keras.ts';

const folder = testFolder('keras-names');
let count = 0;

async function readAll(
  layout: keyof typeof layouts | (typeof layouts)['Keras 1'],
  edits: KerasEdits,
  published = layout === 'TensorFlow 2' ? resnet50Tf2 : resnet50KerasV1,
) {
  const spec = tinySpec(published);
  const layers = randomLayers(spec, 5);
  const path = join(folder, `${count++}.h5`);
  writeKeras(path, layers, typeof layout === 'string' ? layouts[layout] : layout, edits);
  const file = await openKerasFile(path);
  try {
    const read = kerasWeights(file, recogniseScheme(file), spec);
    const found = convLayers(layOut(spec)).map((layer) => ({ layer, ...read(layer) }));
    return { found, written: layers };
  } finally {
    file.close();
  }
}

/** As h5py lists a group, and some tools write the names. */
const alphabetical = (names: readonly string[]) => [...names].sort();
const reversed = (names: readonly string[]) => [...names].reverse();

describe('kerasWeights, by the names of the weights', () => {
  for (const layout of Object.keys(layouts) as (keyof typeof layouts)[])
    for (const listed of [alphabetical, reversed])
      test(`kerasWeights, ${layout} names ${listed.name} give the same values`, async () => {
        const { found, written } = await readAll(layout, { listed });
        expect(found).toEqual(written);
      });

  test('kerasWeights, names that TensorFlow has numbered', async () => {
    const { layerNames } = layouts['Keras 2'];
    const words = ['kernel', 'bias', 'gamma', 'beta', 'moving_mean', 'moving_variance'];
    const weightNames = (layer: string) =>
      words.map((word) => `${layer}_1/${word}_2:0`) as unknown as ReturnType<
        (typeof layouts)['Keras 2']['weightNames']
      >;
    const { found, written } = await readAll({ layerNames, weightNames }, { listed: reversed });
    expect(found).toEqual(written);
  });

  test('kerasWeights, names that say nothing are taken in the order of Keras', async () => {
    const { layerNames } = layouts['Keras 1'];
    const weightNames = (layer: string) =>
      [0, 1, 0, 1, 2, 3].map((i) => `${layer}_param_${i}`) as unknown as ReturnType<
        (typeof layouts)['Keras 1']['weightNames']
      >;
    const { found, written } = await readAll({ layerNames, weightNames }, {});
    expect(found).toEqual(written);
  });

  const named =
    (...words: readonly string[]) =>
    (names: readonly string[]) =>
      names[0] === 'bn_conv1/gamma:0' ? words.map((word) => `bn_conv1/${word}:0`) : names;
  const contradictions: Record<string, [(names: readonly string[]) => readonly string[], RegExp]> =
    {
      'the same twice': [
        named('gamma', 'beta', 'moving_mean', 'moving_mean'),
        /layer bn_conv1: bn_conv1\/moving_mean:0 and bn_conv1\/moving_mean:0 are both a mean/,
      ],
      'one that the layer cannot have': [
        named('kernel', 'beta', 'moving_mean', 'moving_variance'),
        /layer bn_conv1: bn_conv1\/kernel:0 is a kernel, and not one of gamma, beta, mean, var/,
      ],
      'another order, and one that does not say what it is': [
        named('beta', 'gamma', 'moving_mean', 'x'),
        /layer bn_conv1: bn_conv1\/beta:0 is a beta in the place of the gamma, and bn_conv1\/x:0/,
      ],
    };
  for (const [what, [listed, message]] of Object.entries(contradictions))
    test(`kerasWeights, ${what} is refused`, async () => {
      const failure = readAll('Keras 2', { listed });
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toBeInstanceOf(ModelError);
    });
});

describe('kerasWeights, by what a saved model says of its layers', () => {
  const layer = (class_name: string, config: object) => ({ class_name, config });
  const model = (...layers: object[]) => layer('Functional', { name: 'resnet50', layers });
  const saved = (...layers: object[]) => ({
    group: 'model_weights',
    config: JSON.stringify(model(layer('InputLayer', { name: 'input_1' }), ...layers)),
  });
  const norm = (name: string, epsilon: number) => layer('BatchNormalization', { name, epsilon });
  const conv = (name: string, strides: object) => layer('Conv2D', { name, ...strides });

  test('kerasWeights, its own epsilon and strides', async () => {
    const keras1 = saved(
      norm('bn_conv1', 0.0010000000474974513),
      conv('conv1', { subsample: [2, 2] }),
      conv('res3a_branch2a', { strides: [2, 2] }),
      conv('res3a_branch2b', { strides: [1, 1] }),
    );
    const { found, written } = await readAll('Keras 1', keras1);
    expect(found).toEqual(written);
    await readAll('TensorFlow 2', saved(model(norm('conv1_bn', 1.001e-5))));
  });

  const others: Record<string, [keyof typeof layouts, KerasEdits, RegExp]> = {
    'another epsilon': [
      'Keras 2',
      saved(norm('bn_conv1', 1e-3), norm('bn2a_branch2a', 1e-5)),
      /layer bn2a_branch2a: its model_config says epsilon 0\.00001, but resnet50-keras-v1 has 0\.001/,
    ],
    'another epsilon in a model within the model': [
      'TensorFlow 2',
      saved(model(norm('conv2_block1_1_bn', 1e-3))),
      /layer conv2_block1_1_bn: its model_config says epsilon 0\.001, but resnet50-keras-tf2/,
    ],
    'the stride of version 1.5': [
      'Keras 2',
      saved(conv('res3a_branch2a', { strides: [1, 1] })),
      /layer res3a_branch2a: its model_config says stride 1, but resnet50-keras-v1 has 2/,
    ],
    'what is not JSON': [
      'Keras 2',
      { group: 'model_weights', config: '{"class_name"' },
      /model_config is not JSON/,
    ],
  };
  for (const [what, [layout, edits, message]] of Object.entries(others))
    test(`kerasWeights, ${what} is refused`, async () => {
      const failure = readAll(layout, edits);
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toBeInstanceOf(ModelError);
    });
});
