/** Models prepared for tests, kept in the temporary folder and made anew when the code that makes them changes. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Glob } from 'bun';
import { measureAgreement } from '../../model/measure-agreement.ts';
import { prepareModel } from '../../model/prepare.ts';
import { data } from './data.ts';

const repository = join(import.meta.dir, '../..');

/** Weights of each model; those in the shared data need `testWith(weightsOf.…)`. */
export const weightsOf = {
  keras: data.kerasWeightsGz,
  torchvision: data.torchvisionWeightsGz,
  untrained: 'untrained',
} as const;

/** @returns path of the ONNX file, with its manifest beside it and the engines' agreement measured */
export async function preparedTestModel(name: keyof typeof weightsOf): Promise<string> {
  const out = join(tmpdir(), 'resnet50-encoder-test-data', `${name}-${fingerprint()}`);
  const onnx = join(out, 'resnet50.onnx');
  // The manifest comes last: when it is there, so is the model.
  if (!existsSync(join(out, 'resnet50.json')))
    await prepareModel({ weights: weightsOf[name], out, measureAgreement });
  return onnx;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const sources = new Glob('{model,src/model,src/inference}/**/*.{ts,wasm}');
  for (const file of [...sources.scanSync(repository)].sort())
    hash.update(file).update(readFileSync(join(repository, file)));
  return hash.digest('hex').slice(0, 12);
}
