/** Models prepared for tests, kept in the temporary folder and made anew when the code that makes them changes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureAgreement } from '../../model/measure-agreement.ts';
import { prepareModel } from '../../model/prepare.ts';
import { kerasV1Recipe } from '../../model/recipes.ts';
import { buildResnet } from '../../model/resnet/build-resnet.ts';
import { layOut } from '../../model/resnet/layers.ts';
import { type ResnetSpec, resnet50KerasV1 } from '../../model/resnet/spec.ts';
import { untrainedWeights } from '../../model/weights/untrained.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { data } from './data.ts';
import { fingerprint } from './fingerprint.ts';

/** What a prepared model depends on. */
const parts = ['model', 'src/model', 'src/inference'];

/** Weights of each model; those in the shared data need `testWith(weightsOf.…)`. */
export const weightsOf = {
  keras: data.kerasWeightsGz,
  torchvision: data.torchvisionWeightsGz,
  untrained: 'untrained',
} as const;

/** @returns path of the ONNX file, with its manifest beside it and the engines' agreement measured */
export async function preparedTestModel(name: keyof typeof weightsOf): Promise<string> {
  const out = join(tmpdir(), 'resnet50-encoder-test-data', `${name}-${fingerprint(parts)}`);
  const onnx = join(out, 'resnet50.onnx');
  // The manifest comes last: when it is there, so is the model.
  if (!existsSync(join(out, 'resnet50.json')))
    await prepareModel({ weights: weightsOf[name], out, measureAgreement });
  return onnx;
}

/** A ResNet of few channels on 32×32 pictures, for tests where a whole network would only take time. */
export const smallSpec: ResnetSpec = {
  ...resnet50KerasV1,
  architecture: 'small-test-network',
  blocks: [1, 1],
  stemFilters: 16,
  filters: [16, 32],
  inputSize: { height: 32, width: 32 },
};

/** Only the stem, on 16×16 pictures: a software GPU compiles shaders for seconds each, and this has few. */
export const tinySpec: ResnetSpec = {
  ...smallSpec,
  architecture: 'tiny-test-network',
  blocks: [],
  stemFilters: 32,
  filters: [],
  inputSize: { height: 16, width: 16 },
};

export const smallTestModel = (): string => untrainedTestModel(smallSpec);
export const tinyTestModel = (): string => untrainedTestModel(tinySpec);

/** @returns path of the network's ONNX file, with a manifest beside it that says simd may run it */
function untrainedTestModel(spec: ResnetSpec): string {
  const name = `${spec.architecture}-${fingerprint(parts, JSON.stringify(spec))}`;
  const out = join(tmpdir(), 'resnet50-encoder-test-data', name);
  const onnx = join(out, 'resnet50.onnx');
  if (existsSync(join(out, 'resnet50.json'))) return onnx;
  mkdirSync(out, { recursive: true });
  const bytes = buildResnet(spec, untrainedWeights(spec));
  const { height, width } = spec.inputSize;
  const manifest: Manifest = {
    format: 1,
    name: 'small_encoder',
    type: 'encoder',
    input: 'image',
    output: 'vector',
    dimension: layOut(spec).dimension,
    metricType: 'L2',
    architecture: spec.architecture,
    trained: false,
    source: { description: 'seeded random weights', licence: 'none needed' },
    graph: { input: 'input', output: 'features', layout: 'NCHW', height, width },
    preprocess: {
      ...kerasV1Recipe.preprocess,
      resize: { mode: 'stretch', height, width, filter: 'nearest' },
    },
    normalise: 'l2',
    variants: {
      fp32: {
        file: 'resnet50.onnx',
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        agreement: { samples: 1, minCosine: 1, maxRelativeDifference: 0 },
      },
    },
  };
  writeFileSync(onnx, bytes);
  writeFileSync(join(out, 'resnet50.json'), JSON.stringify(manifest));
  return onnx;
}
