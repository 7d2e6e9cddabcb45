/** What of a prepared model goes into an executable. */
import { ConfigError } from '../src/errors.ts';
import { type Manifest, type Precision, precisions } from '../src/model/manifest.ts';
import { openModel } from '../src/model/open-model.ts';

export interface EmbeddedModel {
  readonly manifest: Manifest;
  /** ONNX file of each variant to embed. */
  readonly files: Partial<Record<Precision, string>>;
}

/**
 * The model's files of the wanted precisions. Their checksums are looked at here, once for the executable's whole life.
 * @param wanted - a precision, or `all` that there are
 * @param release - whether untrained weights are refused
 * @throws ConfigError when there is no model, it lacks a precision, or a file is not the one its manifest describes
 */
export function embeddedModel(onnx: string, wanted: string, release: boolean): EmbeddedModel {
  const first = wanted === 'all' ? 'fp32' : (wanted as Precision);
  const { manifest } = openModel(onnx, first);
  if (release && !manifest.trained)
    throw new ConfigError(
      `--release: ${onnx} has untrained weights; prepare trained ones (npm run model -- prepare --weights FILE), or add --allow-untrained`,
    );
  const has = precisions.filter((precision) => manifest.variants[precision]);
  const files: Partial<Record<Precision, string>> = {};
  for (const precision of wanted === 'all' ? has : [first])
    files[precision] = openModel(onnx, precision).slice.path;
  return { manifest, files };
}
