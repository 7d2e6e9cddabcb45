/** Weights in, an ONNX file and its manifest out. */
import { defaultCacheDir } from '../src/cache-dir.ts';
import type { DownloadProgress } from './download/progress.ts';
import { kerasV1Recipe } from './recipes.ts';
import { locateWeights } from './weights/locate-weights.ts';
import { openWeights } from './weights/open-weights.ts';
import { untrainedSeed, untrainedWeights } from './weights/untrained.ts';
import {
  type ModelSource,
  type PreparedModel,
  type WriteModelOptions,
  writeModel,
} from './write-model.ts';

export interface PrepareOptions extends WriteModelOptions {
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
  /** Told in plain lines what is done. */
  readonly tell?: ((line: string) => void) | undefined;
}

/**
 * Writes `resnet50.onnx` and `resnet50.json`; both appear whole at the end, or nothing changes.
 * @throws DownloadError when weights cannot be fetched
 * @throws ModelError when they are not what they should be
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { tell = () => {} } = options;
  const source = await openSource(options, tell);
  try {
    const prepared = await writeModel(source, options);
    const { bytes, agreement } = prepared.manifest.variants.fp32!;
    const megabytes = (bytes / 1e6).toFixed(1);
    if (agreement)
      tell(`the simd engine agrees with onnxruntime: cosine ${agreement.minCosine.toFixed(9)}`);
    tell(`wrote ${prepared.onnxPath} (${megabytes} MB) and ${prepared.manifestPath}`);
    return prepared;
  } finally {
    source.close();
  }
}

type OpenSource = ModelSource & { close(): void };

async function openSource(
  options: PrepareOptions,
  tell: (line: string) => void,
): Promise<OpenSource> {
  const { weights, sha256, licence } = options;
  if (weights === 'untrained') {
    return {
      recipe: kerasV1Recipe,
      read: untrainedWeights(kerasV1Recipe.spec),
      trained: false,
      source: {
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
  const { path, fingerprint } = located;
  const { recipe, read, assertUnchanged, close } = await openWeights(path, fingerprint);
  tell(`${path}: weights of ${recipe.spec.architecture}`);
  if (!located.published)
    tell(`not a published file that is known here (MD5 ${located.md5}); its vectors are its own`);
  const source = {
    description: located.description,
    sha256: located.sha256,
    licence: licence ?? located.licence,
  };
  return { recipe, read, assertUnchanged, trained: true, source, close };
}
