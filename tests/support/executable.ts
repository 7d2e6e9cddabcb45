/** The compiled executable, as a user would have it: built once and again when its sources change. */
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedModel } from '../../build/build.ts';
import { compile } from '../../build/compile.ts';
import { fingerprint } from './fingerprint.ts';

/**
 * @param onnx - the model to embed; none without it
 * @returns path of the executable, in a folder where there is nothing else
 */
export async function testExecutable(onnx?: string, precision = 'fp32'): Promise<string> {
  const name = fingerprint(['src', 'build'], onnx ?? 'no model', precision);
  const folder = join(tmpdir(), 'resnet50-encoder-test-binaries', name);
  const outfile = join(folder, 'resnet50-encoder');
  if (existsSync(outfile)) return outfile;
  mkdirSync(folder, { recursive: true });
  const model = onnx ? embeddedModel(onnx, precision, false) : undefined;
  await compile({ outfile, model });
  return outfile;
}
