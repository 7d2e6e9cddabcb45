/** The compiled executable, as a user would have it: built once and again when its sources change. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Glob } from 'bun';
import { embeddedModel } from '../../build/build.ts';
import { compile } from '../../build/compile.ts';

const repository = join(import.meta.dir, '../..');

/**
 * @param onnx - the model to embed; none without it
 * @returns path of the executable, in a folder where there is nothing else
 */
export async function testExecutable(onnx?: string, precision = 'fp32'): Promise<string> {
  const hash = createHash('sha256').update(`${onnx ?? 'none'} ${precision}`);
  for (const file of [
    ...new Glob('{src,build}/**/*.{ts,wasm,html,css}').scanSync(repository),
  ].sort())
    hash.update(file).update(readFileSync(join(repository, file)));
  const folder = join(tmpdir(), 'resnet50-encoder-test-binaries', hash.digest('hex').slice(0, 12));
  const outfile = join(folder, 'resnet50-encoder');
  if (existsSync(outfile)) return outfile;
  mkdirSync(folder, { recursive: true });
  const model = onnx ? embeddedModel(onnx, precision, false) : undefined;
  await compile({ outfile, model });
  return outfile;
}
