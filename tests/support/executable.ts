/** The compiled executable, as a user would have it: built once and again when its sources change. */
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

/** The executable without a model and with faults below its engines and in its decoding threads, which the product has no way to be told of. */
export async function faultyExecutable(): Promise<string> {
  const plugins = [
    exchange('src/inference/webgpu/dawn.ts', 'tests/support/faulty-dawn.ts'),
    exchange('src/inference/onnxruntime/graph-capture.ts', 'tests/support/faulty-capture.ts'),
    exchange('src/inference/simd/threads/open-thread.ts', 'tests/support/faulty-threads.ts'),
    exchange('src/inference/engine-patience.ts', 'tests/support/impatient-engine.ts'),
    exchange('src/image/prepare-image.ts', 'tests/support/faulty-preparing.ts'),
    exchange('src/image/image-pipeline.ts', 'tests/support/impatient-pipeline.ts'),
  ];
  const name = fingerprint(['src', 'build', 'tests/support'], 'faults');
  return kept(name, (outfile) => compile({ outfile, plugins }));
}

/** Whoever imports `file` gets `other`, which itself may import `file`. */
function exchange(file: string, other: string): BunPlugin {
  const [real, faulty] = [join(repository, file), join(repository, other)];
  return {
    name: other,
    setup(build) {
      build.onResolve({ filter: new RegExp(`/${basename(file)}$`) }, ({ importer }) => ({
        path: importer === faulty ? real : faulty,
      }));
    },
  };
}

async function kept(name: string, build: (outfile: string) => Promise<unknown>): Promise<string> {
  const folder = join(tmpdir(), 'resnet50-encoder-test-binaries', name);
  const outfile = join(folder, 'resnet50-encoder');
  if (existsSync(outfile)) return outfile;
  mkdirSync(folder, { recursive: true });
  await build(outfile);
  return outfile;
}
