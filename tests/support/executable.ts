/** The compiled executable, as a user would have it: built once and again when its sources change. */
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BunPlugin } from 'bun';
import { compile } from '../../build/compile.ts';
import { embeddedModel } from '../../build/embedded-model.ts';
import { fingerprint } from './fingerprint.ts';

const repository = join(import.meta.dir, '../..');

/**
 * @param onnx - the model to embed; none without it
 * @returns path of the executable, in a folder where there is nothing else
 */
export async function testExecutable(onnx?: string, precision = 'fp32'): Promise<string> {
  return kept(fingerprint(['src', 'build'], onnx ?? 'no model', precision), (outfile) => {
    const model = onnx ? embeddedModel(onnx, precision, false) : undefined;
    return compile({ outfile, model });
  });
}

/** The executable without a model and with tests/support/faulty-dawn.ts in place of Dawn. */
export async function faultyExecutable(): Promise<string> {
  const real = join(repository, 'src/inference/webgpu/dawn.ts');
  const faulty = join(repository, 'tests/support/faulty-dawn.ts');
  const plugin: BunPlugin = {
    name: 'faulty-dawn',
    setup(build) {
      build.onResolve({ filter: /\/dawn\.ts$/ }, ({ importer }) => ({
        path: importer === faulty ? real : faulty,
      }));
    },
  };
  const name = fingerprint(['src', 'build', 'tests/support'], 'faulty-dawn');
  return kept(name, (outfile) => compile({ outfile, plugins: [plugin] }));
}

async function kept(name: string, build: (outfile: string) => Promise<unknown>): Promise<string> {
  const folder = join(tmpdir(), 'resnet50-encoder-test-binaries', name);
  const outfile = join(folder, 'resnet50-encoder');
  if (existsSync(outfile)) return outfile;
  mkdirSync(folder, { recursive: true });
  await build(outfile);
  return outfile;
}
