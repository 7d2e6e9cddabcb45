/** Adds a variant to a prepared model: its ONNX file, and its entry in the manifest. */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import {
  type EngineAgreement,
  type Manifest,
  type ManifestVariant,
  type Precision,
  parseManifest,
} from '../src/model/manifest.ts';
import { manifestPathOf, readManifest } from '../src/model/open-model.ts';
import { ModelError } from './errors.ts';
import { assertWritable } from './files/folders.ts';
import { withOldAside } from './files/old-aside.ts';
import { stageFile } from './files/staged-file.ts';

export interface NewVariant {
  /** The fp32 ONNX file, with the manifest beside it. */
  readonly model: string;
  /** What the manifest said when the variant was begun. */
  readonly manifest: Manifest;
  readonly precision: Precision;
  readonly bytes: Uint8Array;
  readonly notes: NonNullable<ManifestVariant['notes']>;
  readonly signal?: AbortSignal;
  /** Compares the engines on the new file, under its temporary name. */
  readonly measureAgreement?:
    | ((
        onnxPath: string,
        manifest: Manifest,
        precision: Precision,
      ) => Promise<EngineAgreement | undefined>)
    | undefined;
}

export interface AddedVariant {
  readonly onnxPath: string;
  readonly variant: ManifestVariant;
}

/** Asked before a variant is made, which takes minutes. @throws ConfigError */
export const assertAddable = (model: string): void =>
  assertWritable(dirname(model), `--model ${model}: a variant goes beside it`);

/**
 * Writes `<model>.<precision>.onnx` and lists it in the manifest. Both appear at the end; after a failure nothing has
 * changed.
 * @throws ModelError when the model is no longer the one that the variant was made of
 */
export async function addVariant(added: NewVariant): Promise<AddedVariant> {
  const { model, precision, bytes, notes, signal } = added;
  const onnxPath = `${model.replace(/\.onnx$/, '')}.${precision}.onnx`;
  const draft: ManifestVariant = {
    file: basename(onnxPath),
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    notes,
  };
  const stagedOnnx = stageFile(onnxPath, bytes);
  try {
    const agreement = await added.measureAgreement?.(
      stagedOnnx.temporaryPath,
      listing(added.manifest, precision, draft),
      precision,
    );
    signal?.throwIfAborted();
    const variant = { ...draft, ...(agreement && { agreement }) };
    const manifest = listing(manifestNow(added), precision, variant);
    const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
    const stagedManifest = stageFile(manifestPathOf(model), json);
    try {
      // The manifest last: what it lists is there. Until then the old one lists the old file.
      withOldAside([onnxPath], () => {
        stagedOnnx.commit();
        stagedManifest.commit();
      });
    } finally {
      stagedManifest.discard();
    }
    return { onnxPath, variant };
  } finally {
    stagedOnnx.discard();
  }
}

const listing = (manifest: Manifest, precision: Precision, variant: ManifestVariant): Manifest =>
  parseManifest(
    { ...manifest, variants: { ...manifest.variants, [precision]: variant } },
    `the manifest with ${variant.file}`,
  );

/** Making a variant takes minutes, in which another command may have added one, or made the model anew. */
function manifestNow({ model, manifest }: NewVariant): Manifest {
  const now = readManifest(model);
  if (now.variants.fp32?.sha256 === manifest.variants.fp32?.sha256) return now;
  throw new ModelError(`${model}: another model has taken its place meanwhile`);
}
