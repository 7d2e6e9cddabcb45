/** Weights in, an ONNX file and its manifest out. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { type EngineAgreement, type Manifest, parseManifest } from '../src/model/manifest.ts';
import type { DownloadProgress } from './download/progress.ts';
import { stageFile } from './files/staged-file.ts';
import { kerasV1Recipe, type Recipe } from './recipes.ts';
import { buildResnet, inputName, outputName } from './resnet/build-resnet.ts';
import { layOut } from './resnet/layers.ts';
import type { WeightReader } from './resnet/weights.ts';
import { locateWeights } from './weights/locate-weights.ts';
import { openWeights } from './weights/open-weights.ts';
import { untrainedSeed, untrainedWeights } from './weights/untrained.ts';

export const onnxFileName = 'resnet50.onnx';
export const manifestFileName = 'resnet50.json';

export interface PrepareOptions {
  /** Folder for the two files; made when it is not there. */
  readonly out: string;
  /** A path, an http(s) address or `untrained`. @default the release that the tutorial's operator downloads */
  readonly weights?: string | undefined;
  /** SHA-256 of the weights file, in lower-case hexadecimal. @default not checked, except for the default release */
  readonly sha256?: string | undefined;
  /** For the manifest. @default the known file's, else "unknown" */
  readonly licence?: string | undefined;
  /** Where downloads are kept. @default the XDG cache folder */
  readonly cacheDir?: string | undefined;
  /** Takes downloads from the cache only. @default false */
  readonly offline?: boolean | undefined;
  /** Milliseconds until a server answers. @default 10000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds in which a download must move on. @default 5000 */
  readonly stallTimeoutMs?: number | undefined;
  /** Milliseconds for a whole download. @default none: a slow line that delivers is waited for */
  readonly timeLimitMs?: number | undefined;
  readonly progress?: DownloadProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told in plain lines what is done. */
  readonly tell?: ((line: string) => void) | undefined;
  /**
   * Compares the engines on the model before it gets its name; the result goes into the manifest's fp32 variant. The
   * manifest given is complete except for that.
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
 * Writes `resnet50.onnx` and `resnet50.json`; both appear whole at the end, or nothing changes.
 * @throws DownloadError when weights cannot be fetched
 * @throws ModelError when they are not what they should be
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { out, signal, tell = () => {} } = options;
  const source = await openSource(options, tell);
  const onnx = (() => {
    try {
      signal?.throwIfAborted();
      return buildResnet(source.recipe.spec, source.read);
    } finally {
      source.close();
    }
  })();
  signal?.throwIfAborted();
  mkdirSync(out, { recursive: true });
  const onnxPath = join(out, onnxFileName);
  const manifestPath = join(out, manifestFileName);
  const stagedOnnx = stageFile(onnxPath, onnx);
  try {
    const draft = describe(source, onnx, undefined);
    const agreement = await options.measureAgreement?.(stagedOnnx.temporaryPath, draft);
    if (agreement)
      tell(`the simd engine agrees with onnxruntime: cosine ${agreement.minCosine.toFixed(9)}`);
    signal?.throwIfAborted();
    const manifest = describe(source, onnx, agreement);
    const stagedManifest = stageFile(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
    try {
      stagedOnnx.commit();
      stagedManifest.commit();
    } finally {
      stagedManifest.discard();
    }
    tell(`wrote ${onnxPath} (${(onnx.length / 1e6).toFixed(1)} MB) and ${manifestPath}`);
    return { onnxPath, manifestPath, manifest };
  } finally {
    stagedOnnx.discard();
  }
}

interface Source {
  readonly recipe: Recipe;
  readonly read: WeightReader;
  readonly trained: boolean;
  readonly description: Manifest['source'];
  close(): void;
}

async function openSource(options: PrepareOptions, tell: (line: string) => void): Promise<Source> {
  const { weights, sha256, licence } = options;
  if (weights === 'untrained') {
    return {
      recipe: kerasV1Recipe,
      read: untrainedWeights(kerasV1Recipe.spec),
      trained: false,
      description: {
        description: `untrained: He-normal random weights, seed ${untrainedSeed}`,
        licence: licence ?? 'none needed: made by code',
      },
      close: () => {},
    };
  }
  const { connectTimeoutMs, stallTimeoutMs, timeLimitMs, progress, signal } = options;
  const located = await locateWeights({
    weights,
    sha256,
    cacheDir: options.cacheDir ?? defaultCacheDir(),
    offline: options.offline ?? false,
    limits: { connectMs: connectTimeoutMs, stallMs: stallTimeoutMs, totalMs: timeLimitMs },
    ...{ progress, signal, tell },
  });
  const { recipe, read, close } = await openWeights(located.path);
  tell(`${located.path}: weights of ${recipe.spec.architecture}`);
  if (!located.published)
    tell(`not a published file that is known here (MD5 ${located.md5}); its vectors are its own`);
  const description = {
    description: located.description,
    sha256: located.sha256,
    licence: licence ?? located.licence,
  };
  return { recipe, read, trained: true, description, close };
}

function describe(
  source: Source,
  onnx: Uint8Array,
  agreement: EngineAgreement | undefined,
): Manifest {
  const { recipe, trained, description } = source;
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
    source: description,
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
