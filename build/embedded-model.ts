/** What of a prepared model goes into an executable. */
import { ConfigError } from '../src/errors.ts';
import { type Manifest, type Precision, precisions } from '../src/model/manifest.ts';
import { openModel, readManifest } from '../src/model/open-model.ts';

export interface EmbeddedModel {
  readonly manifest: Manifest;
  /** ONNX file of each variant to embed. */
  readonly files: Partial<Record<Precision, string>>;
}

/**
 * The model's files of the wanted precisions.
 * @throws ConfigError when one is missing or damaged, or not fit for a release
 */
export function embeddedModel(onnx: string, wanted: string, release: boolean): EmbeddedModel {
  const manifest = readManifest(onnx);
  if (release && !manifest.trained)
    throw new ConfigError(
      `--release: ${onnx} has untrained weights; prepare trained ones (npm run model -- prepare --weights FILE), or add --allow-untrained`,
    );
  const has = precisions.filter((precision) => manifest.variants[precision]);
  const files: Partial<Record<Precision, string>> = {};
  // Checked here, once for all: the executable does not look whether its model is the one that its manifest speaks of.
  for (const precision of wanted === 'all' ? has : [wanted as Precision])
    files[precision] = openModel(onnx, precision).slice.path;
  return { manifest, files };
}
