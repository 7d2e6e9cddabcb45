/** A model's two files: built, described, written whole or not at all. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type EngineAgreement, type Manifest, parseManifest } from '../src/model/manifest.ts';
import { makeFolder } from './files/folders.ts';
import { withOldAside } from './files/old-aside.ts';
import { stageFile } from './files/staged-file.ts';
import type { Recipe } from './recipes.ts';
import { buildResnet, inputName, outputName } from './resnet/build-resnet.ts';
import { layOut } from './resnet/layers.ts';
import type { WeightReader } from './resnet/weights.ts';

export const onnxFileName = 'resnet50.onnx';
export const manifestFileName = 'resnet50.json';

/** What a model is made of. */
export interface ModelSource {
  readonly recipe: Recipe;
  readonly read: WeightReader;
  /** Asked when all layers have been read. @throws ModelError when they are not of the file that `source` names */
  readonly assertUnchanged?: () => void;
  readonly trained: boolean;
  /** Where the weights come from. */
  readonly source: Manifest['source'];
}

export interface WriteModelOptions {
  /** Folder for the two files; made when it is not there. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  /**
   * Compares the engines on the model before it gets its name; the result goes into the manifest's fp32 variant. The
   * manifest given is complete but for that; its `file` is the name to come, `onnxPath` the file as it lies now.
   */
  readonly measureAgreement?:
    | ((onnxPath: string, manifest: Manifest) => Promise<EngineAgreement | undefined>)
    | undefined;
}

export interface PreparedModel {
  readonly onnxPath: string;
  readonly manifestPath: string;
  readonly manifest: Manifest;
}

/**
 * Writes `resnet50.onnx` and `resnet50.json`. Both appear at the end; after a failure what was there before still is.
 * @throws ModelError when a layer's weights are wrong, or the folder cannot be written
 */
export async function writeModel(
  source: ModelSource,
  options: WriteModelOptions,
): Promise<PreparedModel> {
  const { out, signal } = options;
  signal?.throwIfAborted();
  const onnx = buildResnet(source.recipe.spec, source.read);
  source.assertUnchanged?.();
  makeFolder(out);
  const onnxPath = join(out, onnxFileName);
  const manifestPath = join(out, manifestFileName);
  const stagedOnnx = stageFile(onnxPath, onnx);
  try {
    const draft = describe(source, onnx, undefined);
    const agreement = await options.measureAgreement?.(stagedOnnx.temporaryPath, draft);
    signal?.throwIfAborted();
    const manifest = describe(source, onnx, agreement);
    const stagedManifest = stageFile(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
    try {
      // An older manifest must not lie beside the new file, not even if this ends between the two.
      withOldAside([manifestPath, onnxPath], () => {
        stagedOnnx.commit();
        stagedManifest.commit();
      });
    } finally {
      stagedManifest.discard();
    }
    return { onnxPath, manifestPath, manifest };
  } finally {
    stagedOnnx.discard();
  }
}

function describe(
  { recipe, trained, source }: ModelSource,
  onnx: Uint8Array,
  agreement: EngineAgreement | undefined,
): Manifest {
  const { spec } = recipe;
  const manifest: Manifest = {
    format: 1,
    name: recipe.name,
    type: 'encoder',
    input: 'image',
    output: 'vector',
    dimension: layOut(spec).dimension,
    metricType: 'L2',
    architecture: spec.architecture,
    trained,
    source,
    graph: { input: inputName, output: outputName, layout: 'NCHW', ...spec.inputSize },
    preprocess: recipe.preprocess,
    normalise: 'l2',
    variants: {
      fp32: {
        file: onnxFileName,
        bytes: onnx.length,
        sha256: createHash('sha256').update(onnx).digest('hex'),
        ...(agreement && { agreement }),
      },
    },
  };
  return parseManifest(manifest, manifestFileName);
}
