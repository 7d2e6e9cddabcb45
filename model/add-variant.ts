/** Adds a variant to a prepared model: its ONNX file, and its entry in the manifest. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  type Manifest,
  type ManifestVariant,
  type Precision,
  parseManifest,
} from '../src/model/manifest.ts';
import { stageFile } from './files/staged-file.ts';

export interface NewVariant {
  /** The fp32 ONNX file, with the manifest beside it. */
  readonly model: string;
  readonly manifest: Manifest;
  readonly precision: Precision;
  readonly bytes: Uint8Array;
  readonly notes: NonNullable<ManifestVariant['notes']>;
}

/**
 * Writes `<model>.<precision>.onnx` and lists it in the manifest. Both appear at the end; after a failure nothing has
 * changed.
 * @returns path of the ONNX file
 */
export function addVariant({ model, manifest, precision, bytes, notes }: NewVariant): string {
  const onnxPath = model.replace(/\.onnx$/, `.${precision}.onnx`);
  const manifestPath = model.replace(/\.onnx$/, '.json');
  const variant: ManifestVariant = {
    file: basename(onnxPath),
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    notes,
  };
  const variants = { ...manifest.variants, [precision]: variant };
  const whole = parseManifest({ ...manifest, variants }, manifestPath);
  const stagedOnnx = stageFile(onnxPath, bytes);
  try {
    const stagedManifest = stageFile(manifestPath, `${JSON.stringify(whole, undefined, 2)}\n`);
    try {
      // The manifest last: what it lists is there.
      stagedOnnx.commit();
      stagedManifest.commit();
    } finally {
      stagedManifest.discard();
    }
  } finally {
    stagedOnnx.discard();
  }
  return onnxPath;
}
