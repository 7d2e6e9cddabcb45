/** One executable in dist/, its bill of materials beside it, and the checksums of both. */
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hashFile } from '../model/files/hash-file.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { bundledPackages } from './bundled-packages.ts';
import { recordChecksums } from './checksums.ts';
import { type CompileOptions, compile } from './compile.ts';
import type { EmbeddedModel } from './embedded-model.ts';
import { repository } from './repository.ts';
import { installedRuntime } from './runtime.ts';

export interface BuildOptions {
  readonly model: EmbeddedModel | undefined;
  readonly commit: string;
  /** The executable alone is written, to this file. @default dist/resnet50-encoder, with the target's name */
  readonly out?: string | undefined;
  readonly tell: (line: string) => void;
}

/** @param target - undefined: the machine that builds, with the Bun that runs */
export async function buildExecutable(
  target: CompileOptions['target'],
  options: BuildOptions,
): Promise<void> {
  const { model, commit, out, tell } = options;
  const machine = target?.machine;
  const name = machine ? `resnet50-encoder-${machine.name}` : 'resnet50-encoder';
  const outfile = out ?? join(repository, 'dist', `${name}${machine?.suffix ?? ''}`);
  const metafile = await compile({ outfile, target, model, commit });
  const { bytes, sha256 } = await hashFile(outfile);
  tell(`${outfile}: ${(bytes / 1e6).toFixed(0)} MB, ${describe(model)}`);
  if (out) return;

  const bill = billOfMaterials({
    packages: await bundledPackages(metafile),
    runtime: machine?.runtime ?? installedRuntime(),
    target: machine?.name ?? `${process.platform}-${process.arch}`,
    commit,
    sha256,
    model,
  });
  const billFile = join(dirname(outfile), `${name}.cdx.json`);
  writeFileSync(billFile, `${JSON.stringify(bill, null, 2)}\n`);
  recordChecksums(dirname(outfile), {
    [basename(outfile)]: sha256,
    [basename(billFile)]: (await hashFile(billFile)).sha256,
  });
}

function describe(model: EmbeddedModel | undefined): string {
  if (!model) return 'no model';
  const { manifest, files } = model;
  const untrained = manifest.trained ? '' : ', UNTRAINED';
  return `${manifest.architecture}, ${Object.keys(files).join(' and ')}${untrained}`;
}
