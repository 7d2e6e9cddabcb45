import { expect, test } from 'bun:test';
import type { ResnetSpec } from '../../model/resnet/spec.ts';
import { cosine } from '../../src/inference/cosine.ts';
import { openInProcess } from '../simd/support/in-process.ts';
import { testImage } from '../simd/support/models.ts';
import { onOnnxruntime, quantisedResnet } from './support/quantised.ts';

const cases: Record<string, Partial<ResnetSpec>> = {
  'bottleneck, stride on the 1×1': {},
  'bottleneck, stride on the 3×3': { strideOn: '3x3' },
  'basic blocks with Winograd and its residual': {
    block: 'basic',
    inputSize: { height: 70, width: 90 },
  },
  'odd input size': { inputSize: { height: 61, width: 75 } },
  'channels that are no multiple of 16': { stemFilters: 20, filters: [12, 27] },
  'three stages': {
    blocks: [2, 1, 2],
    filters: [16, 16, 32],
    inputSize: { height: 130, width: 98 },
  },
};

// Cosines of 0.99995 and more were seen; rounding in other places than onnxruntime's is all that differs.
for (const [name, spec] of Object.entries(cases))
  test(`simd in int8, agrees with onnxruntime and with fp32: ${name}`, async () => {
    const { fp32, int8 } = await quantisedResnet(spec);
    const images = [1, 2].map((seed) => testImage(int8.manifest.graph, seed));
    const [relaxed, plain] = [openInProcess(int8), openInProcess(int8, false)];
    const ours = images.map((image) => relaxed.run(image));
    expect(relaxed.plan.format).toBe('int8');
    expect(images.map((image) => plain.run(image))).toEqual(ours);
    const theirs = await onOnnxruntime(int8, images);
    const exact = await onOnnxruntime(fp32, images);
    for (const [i, row] of ours.entries()) {
      expect(cosine(row, theirs[i]!)).toBeGreaterThan(0.9999);
      expect(cosine(row, exact[i]!)).toBeGreaterThan(0.9999);
    }
  });
