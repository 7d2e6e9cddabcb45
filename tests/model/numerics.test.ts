/**
 * The ONNX graph against an independent pass: float64, straight from the weights file, batch norm unfolded, compared
 * before the vector is normalised. Needs no data from outside.
 */
import { beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { prepareModel } from '../../model/prepare.ts';
import { buildResnet } from '../../model/resnet/build-resnet.ts';
import {
  type ResnetSpec,
  resnet18Torchvision,
  resnet50KerasV1,
  resnet50Torchvision,
} from '../../model/resnet/spec.ts';
import type { WeightReader } from '../../model/resnet/weights.ts';
import { testFolder } from '../support/test-folder.ts';
import { type NaiveNetwork, naiveForward } from './support/naive-forward.ts';
import { fromRandomLayers, readKeras1 } from './support/naive-weights.ts';
import { type RandomLayer, randomInput, randomLayers, tinySpec } from './support/random-weights.ts';
import { relativeDifference, runOnnx, withInputSize } from './support/run-onnx.ts';
import { layouts, writeKeras } from './support/write-keras.ts';

const tolerance = 1e-4;

/** Keras's ResNet50 as the contract describes it, in numbers of its own and not from model/. */
const kerasResnet50: Omit<NaiveNetwork, 'get'> = {
  block: 'bottleneck',
  blocks: [3, 4, 6, 3],
  epsilon: 1e-3,
  strideOn: '1x1',
  stemPadding: [3, 3],
  poolPadding: [1, 1],
  blockPadding: [1, 1],
};

describe('the prepared ResNet50 on a 64x64 input, statistics drawn at random', () => {
  const folder = testFolder('numerics');
  const size = 64;
  const input = randomInput(size, size, 3);
  let network: Pick<NaiveNetwork, 'get'>;
  let features: Float32Array;

  beforeAll(async () => {
    const weights = join(folder, 'weights.h5');
    writeKeras(weights, randomLayers(resnet50KerasV1, 1), layouts['Keras 1']);
    network = readKeras1(weights);
    const { onnxPath } = await prepareModel({ weights, out: folder });
    const model = withInputSize(await Bun.file(onnxPath).bytes(), size, size);
    [features] = (await runOnnx(model, [input], size, size)) as [Float32Array];
  }, 60_000);

  const difference = (changes: Partial<NaiveNetwork>, image = input): number => {
    const get = (name: string) => network.get(name);
    const reference = naiveForward({ ...kerasResnet50, get, ...changes }, image, size, size);
    return relativeDifference(features, reference);
  };

  test('buildResnet, agrees with the naive float64 pass', () => {
    expect(features).toHaveLength(2048);
    expect(difference({})).toBeLessThan(tolerance);
  });

  const changes: Record<string, Partial<NaiveNetwork>> = {
    "torchvision's epsilon": { epsilon: 1e-5 },
    "TensorFlow 2's epsilon": { epsilon: 1.001e-5 },
    'the stride on the 3x3 convolution': { strideOn: '3x3' },
    'a stem padded as "same"': { stemPadding: [2, 3] },
    'a pool padded as "same"': { poolPadding: [0, 1] },
    '3x3 convolutions padded on one side': { blockPadding: [0, 2] },
  };
  for (const [what, change] of Object.entries(changes))
    test(`buildResnet, the comparison notices ${what}`, () => {
      expect(difference(change)).toBeGreaterThan(10 * tolerance);
    });

  test('buildResnet, the comparison notices swapped channels', () => {
    const plane = size * size;
    const swapped = new Float32Array(input.length);
    for (let c = 0; c < 3; c++)
      swapped.set(input.subarray(c * plane, (c + 1) * plane), (2 - c) * plane);
    expect(difference({}, swapped)).toBeGreaterThan(10 * tolerance);
  });
});

describe('other residual networks from the same builder', () => {
  const read =
    (layers: readonly RandomLayer[]): WeightReader =>
    ({ id }) =>
      layers.find(({ layer }) => layer.id === id)!;

  const basic = tinySpec(resnet18Torchvision);
  const specs: Record<string, ResnetSpec> = {
    'bottlenecks that stride on the 1x1': tinySpec(resnet50KerasV1),
    'bottlenecks that stride on the 3x3, without biases': tinySpec(resnet50Torchvision),
    'basic blocks': basic,
    'basic blocks, the first without a projection': { ...basic, stemFilters: 4 },
    'an oblong input': { ...tinySpec(resnet50KerasV1), inputSize: { height: 40, width: 72 } },
  };
  for (const [what, spec] of Object.entries(specs))
    for (const foldBatchNorm of [true, false])
      test(`buildResnet, ${what}, batch norm ${foldBatchNorm ? 'folded' : 'as nodes'}`, async () => {
        const { height, width } = spec.inputSize;
        const layers = randomLayers(spec, 7);
        const model = buildResnet(spec, read(layers), { foldBatchNorm });
        const inputs = [randomInput(height, width, 1), randomInput(height, width, 2)];
        const rows = await runOnnx(model, inputs, height, width);
        const weights = fromRandomLayers(layers);
        const network: NaiveNetwork = {
          ...kerasResnet50,
          get: (name) => weights.get(name),
          block: spec.block,
          blocks: spec.blocks,
          strideOn: spec.strideOn,
          epsilon: spec.epsilon,
        };
        for (const [index, row] of rows.entries()) {
          const reference = naiveForward(network, inputs[index]!, height, width);
          expect(relativeDifference(row, reference)).toBeLessThan(tolerance);
        }
      });
});
