/** The model a build embeds: the one given, the one in the cache, or one prepared now. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createProgress } from '../model/download/progress.ts';
import { measureAgreement } from '../model/measure-agreement.ts';
import { prepareModel } from '../model/prepare.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';

/** `npm start` gives up on the network after this long in all, and goes on with untrained weights. */
const downloadLimitMs = 15_000;

export interface PreparedModelOptions {
  /** An ONNX file with its manifest beside it. */
  readonly model?: string | undefined;
  /** Weights to prepare the model from, instead of the default release. */
  readonly weights?: string | undefined;
  readonly cacheDir?: string | undefined;
  readonly offline?: boolean | undefined;
  readonly tell: (line: string) => void;
}

/** @returns path of the ONNX file */
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
  if (options.weights)
    return (await prepareModel({ ...common, out, weights: options.weights })).onnxPath;

  const kept = join(out, 'resnet50.onnx');
  if (existsSync(kept)) return kept;
  try {
    return (
      await prepareModel({
        ...common,
        out,
        timeLimitMs: downloadLimitMs,
        connectTimeoutMs: downloadLimitMs,
      })
    ).onnxPath;
  } catch (error) {
    options.tell(`The trained weights could not be had: ${(error as Error).message}`);
    options.tell(
      'Going on with UNTRAINED weights: everything works, but the vectors mean nothing.',
    );
    options.tell(
      'To use the trained ones, download resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5 and run: npm start -- --weights FILE',
    );
  }
  const untrained = join(cache, 'untrained');
  const again = join(untrained, 'resnet50.onnx');
  if (existsSync(again)) return again;
  return (await prepareModel({ ...common, out: untrained, weights: 'untrained' })).onnxPath;
}
