/** The model a build embeds: the one given, the one in the cache, or one prepared now. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createProgress } from '../model/download/progress.ts';
import { DownloadError, ModelError } from '../model/errors.ts';
import { assertWritable } from '../model/files/folders.ts';
import { measureAgreement } from '../model/measure-agreement.ts';
import { prepareModel } from '../model/prepare.ts';
import { manifestFileName, onnxFileName } from '../model/write-model.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { ConfigError } from '../src/errors.ts';

export interface PreparedModelOptions {
  /** An ONNX file with its manifest beside it. */
  readonly model?: string | undefined;
  /** Weights to prepare the model from, instead of the default release. */
  readonly weights?: string | undefined;
  readonly cacheDir?: string | undefined;
  readonly offline?: boolean | undefined;
  /** Weights that cannot be had end it; else untrained ones take their place. @default false */
  readonly trainedOnly?: boolean | undefined;
  /** What is wanted of it, as for `--precision`: weights become fp32, so that another is refused before they are read. */
  readonly precision?: string | undefined;
  readonly tell: (line: string) => void;
}

/**
 * @returns path of the ONNX file
 * @throws ConfigError when a model made now cannot have the precision
 * @throws ModelError when it cannot be made
 */
export async function preparedModel(options: PreparedModelOptions): Promise<string> {
  if (options.model) return options.model;
  const cache = options.cacheDir ?? defaultCacheDir();
  const out = join(cache, 'prepared');
  const common = {
    cacheDir: cache,
    offline: options.offline,
    tell: options.tell,
    progress: createProgress(process.stderr),
    measureAgreement,
  };
  if (options.weights || !isWhole(out)) {
    assertMakes(options);
    const asked = options.cacheDir
      ? `--cache-dir ${cache}`
      : `the cache folder ${cache} (XDG_CACHE_HOME names another place)`;
    assertWritable(out, asked);
  }
  if (options.weights)
    return (await prepareModel({ ...common, out, weights: options.weights })).onnxPath;

  if (isWhole(out)) {
    const onnx = join(out, onnxFileName);
    options.tell(`the model prepared before, ${onnx}; --weights FILE prepares another`);
    return onnx;
  }
  try {
    // With the limits' defaults (10 s for an answer, 5 s of standstill) it gives up within 15 s when nothing comes, and
    // a slow line still delivers.
    return (await prepareModel({ ...common, out })).onnxPath;
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    if (options.trainedOnly)
      throw new ModelError(
        `--release: the trained weights could not be had: ${error.message}${options.offline ? '' : '; give a file of them with --weights FILE'}`,
      );
    options.tell(`The trained weights could not be had: ${error.message}`);
    options.tell(
      'Going on with UNTRAINED weights: everything works, but the vectors mean nothing.',
    );
    options.tell(
      'For the trained ones, download resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5 and give the file with --weights FILE',
    );
  }
  const untrained = join(cache, 'untrained');
  if (isWhole(untrained)) return join(untrained, onnxFileName);
  return (await prepareModel({ ...common, out: untrained, weights: 'untrained' })).onnxPath;
}

function assertMakes({ precision = 'fp32', weights }: PreparedModelOptions): void {
  if (precision === 'fp32' || precision === 'all') return;
  const from = weights ? ` --weights ${weights}` : '';
  const add = precision === 'int8' ? 'quantize' : 'convert';
  throw new ConfigError(
    `--precision ${precision}: a model that is made now has fp32 only; make this one with \`npm run model -- prepare${from} --out FOLDER\` and \`npm run model -- ${add} --model FOLDER/resnet50.onnx\`, and give it with --model FOLDER/resnet50.onnx`,
  );
}

/** The manifest is written last: where it is, so is the model. */
const isWhole = (folder: string): boolean => existsSync(join(folder, manifestFileName));
