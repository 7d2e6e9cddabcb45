/** What of a prepared model goes into an executable. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../src/errors.ts';
import { type Manifest, type Precision, parseManifest, precisions } from '../src/model/manifest.ts';

export interface EmbeddedModel {
  readonly manifest: Manifest;
  /** ONNX file of each variant to embed. */
  readonly files: Partial<Record<Precision, string>>;
}

/** The model's files of the wanted precisions, checked against what is asked of a release. */
export function embeddedModel(onnx: string, wanted: string, release: boolean): EmbeddedModel {
  const manifestPath = join(dirname(onnx), `${basename(onnx, '.onnx')}.json`);
  const manifest = parseManifest(JSON.parse(readFileSync(manifestPath, 'utf8')), manifestPath);
  if (release && !manifest.trained)
    throw new ConfigError(
      `--release: ${onnx} has untrained weights; prepare trained ones (npm run model -- prepare --weights FILE), or add --allow-untrained`,
    );
  const has = precisions.filter((precision) => manifest.variants[precision]);
  const missing = wanted === 'all' ? [] : has.includes(wanted as Precision) ? [] : [wanted];
  if (missing.length > 0)
    throw new ConfigError(
      `--precision ${wanted}: ${onnx} has only ${has.join(', ')}; npm run model -- quantize makes int8`,
    );
  const files: Partial<Record<Precision, string>> = {};
  for (const precision of wanted === 'all' ? has : [wanted as Precision]) {
    const variant = manifest.variants[precision];
    if (variant) files[precision] = join(dirname(onnx), variant.file);
  }
  return { manifest, files };
}
