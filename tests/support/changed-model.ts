/** The small model with other weights, for what only weights of a certain kind bring about. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildResnet } from '../../model/resnet/build-resnet.ts';
import type { ConvLayer } from '../../model/resnet/layers.ts';
import type { ConvWeights } from '../../model/resnet/weights.ts';
import { untrainedWeights } from '../../model/weights/untrained.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { smallSpec, smallTestModel } from './models.ts';
import { testFolder } from './test-folder.ts';

/** The manifest beside an ONNX file, as it is now. */
export const manifestBeside = (onnx: string): Manifest =>
  JSON.parse(readFileSync(onnx.replace(/\.onnx$/, '.json'), 'utf8'));

/** @returns path of the ONNX file, in a folder of its own with the manifest and nothing else */
export function changedSmallModel(
  change: (weights: ConvWeights, layer: ConvLayer) => ConvWeights,
): string {
  const folder = testFolder('changed');
  const onnx = join(folder, 'resnet50.onnx');
  const read = untrainedWeights(smallSpec);
  const bytes = buildResnet(smallSpec, (layer) => change(read(layer), layer));
  const manifest = manifestBeside(smallTestModel());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const fp32 = { ...manifest.variants.fp32!, bytes: bytes.length, sha256 };
  writeFileSync(onnx, bytes);
  writeFileSync(join(folder, 'resnet50.json'), JSON.stringify({ ...manifest, variants: { fp32 } }));
  return onnx;
}

/** Every vector of such a network is zero. */
export const onlyZeros = (weights: ConvWeights): ConvWeights => ({
  ...weights,
  gamma: weights.gamma.map(() => 0),
  beta: weights.beta.map(() => -1),
});
