import { expect, test } from 'bun:test';
import {
  type ResnetSpec,
  resnet18Torchvision,
  resnet34Torchvision,
  resnet50Torchvision,
  resnet101Torchvision,
} from '../../model/resnet/spec.ts';
import { openSession } from '../../src/inference/onnxruntime/session.ts';
import { createSimdEngine } from '../../src/inference/simd/engine.ts';
import type { SimdModel } from '../../src/inference/simd/open-network.ts';
import { openModel } from '../../src/model/open-model.ts';
import { testWith } from '../support/data.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';
import { openInProcess } from './support/in-process.ts';
import { testImage, tinyResnet } from './support/models.ts';

async function reference({ slice, manifest }: SimdModel, image: Float32Array) {
  const { graph, dimension } = manifest;
  const { input, output, height, width } = graph;
  const session = await openSession({
    ...{ slice, input, output, shape: [3, height, width], dimension, threads: 1 },
  });
  const [row] = await session.run([image]);
  await session.release();
  return row!;
}

function expectAgreement(ours: Float32Array, theirs: Float32Array): void {
  expect(ours.length).toBe(theirs.length);
  const largest = Math.max(...theirs.map(Math.abs));
  const difference = Math.max(...ours.map((x, i) => Math.abs(x - theirs[i]!)));
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const cosine = dot(ours, theirs) / Math.sqrt(dot(ours, ours) * dot(theirs, theirs));
  expect(largest).toBeGreaterThan(0);
  expect(difference / largest).toBeLessThanOrEqual(1e-4);
  expect(cosine).toBeGreaterThanOrEqual(0.999999);
}

const basic = { block: 'basic' } as const;
const cases: Record<string, Partial<ResnetSpec> & { foldBatchNorm?: boolean }> = {
  'bottleneck, stride on the 1×1': {},
  'bottleneck, stride on the 3×3': { strideOn: '3x3' },
  'basic blocks': { ...basic, filters: [16, 32] },
  'basic blocks with Winograd and its residual': { ...basic, inputSize: { height: 70, width: 90 } },
  'batch normalisation as nodes': { foldBatchNorm: false },
  'odd input size': { inputSize: { height: 61, width: 75 } },
  'one that leaves a map of one pixel': {
    inputSize: { height: 17, width: 9 },
    blocks: [1, 1, 1],
    filters: [16, 16, 16],
  },
  'channels that are no multiple of 16': { stemFilters: 20, filters: [12, 27] },
  'three stages': {
    blocks: [2, 1, 2],
    filters: [16, 16, 32],
    inputSize: { height: 130, width: 98 },
  },
};

for (const [name, { foldBatchNorm = true, ...spec }] of Object.entries(cases))
  test(`simd, agrees with onnxruntime: ${name}`, async () => {
    const model = tinyResnet(spec, { foldBatchNorm });
    const image = testImage(model.manifest.graph);
    expectAgreement(openInProcess(model).run(image), await reference(model, image));
  });

test('simd, what is no number stays none through every ReLU: no plausible vector comes of it', () => {
  const model = tinyResnet({});
  const image = testImage(model.manifest.graph).fill(Number.NaN);
  expect(openInProcess(model).run(image).some(Number.isFinite)).toBe(false);
});

for (const published of [
  resnet18Torchvision,
  resnet34Torchvision,
  resnet50Torchvision,
  resnet101Torchvision,
])
  test(`simd, agrees with onnxruntime: ${published.architecture}, with a quarter of its channels`, async () => {
    const model = tinyResnet({
      ...published,
      ...{ stemFilters: 16, filters: [16, 32, 64, 128], inputSize: { height: 112, width: 112 } },
    });
    const image = testImage(model.manifest.graph);
    expectAgreement(openInProcess(model).run(image), await reference(model, image));
  });

testWith(
  weightsOf.keras,
  'simd, agrees with onnxruntime: ResNet50 with trained weights, two threads',
  async () => {
    const model = openModel(await preparedTestModel('keras'), 'fp32');
    const opened = await createSimdEngine({ model, threads: 2 });
    if ('unsupported' in opened) throw new Error(opened.unsupported);
    const image = testImage(model.manifest.graph);
    const [ours] = await opened.engine.run([image]);
    await opened.engine.close();
    expectAgreement(ours!, await reference(model, image));
  },
  120_000,
);
