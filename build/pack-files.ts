/**
 * A plugin of the bundler: embeds onnxruntime's WebAssembly files compressed (`src/packed-file.ts` unpacks them), and leaves
 * out what the target cannot use. They are needed only where our own kernels do not run, and shrink to a fifth.
 */
import { readFileSync } from 'node:fs';

/** Higher levels take ten times as long for a tenth of the size. */
const level = 9;

const packed = new Map<string, Uint8Array>();

/** Compressed once for all the targets of a build. */
function pack(path: string): Uint8Array {
  const done = packed.get(path) ?? Bun.zstdCompressSync(readFileSync(path), { level });
  packed.set(path, done);
  return done;
}

/** @param gpu - whether Dawn's addon, and onnxruntime's build for it, are embedded at all */
export function packFiles(gpu: boolean): Bun.BunPlugin {
  return {
    name: 'pack-files',
    setup(build) {
      build.onLoad({ filter: /[/\\]onnxruntime-web[/\\].*\.wasm$/ }, ({ path }) => ({
        contents: !gpu && path.endsWith('.jspi.wasm') ? '' : pack(path),
        loader: 'file',
      }));
      if (gpu) return;
      build.onResolve({ filter: /dawn\.node$/ }, () => ({ path: 'dawn', namespace: 'left-out' }));
      build.onLoad({ filter: /^/, namespace: 'left-out' }, () => ({
        contents: `throw new Error('this executable was built without it, for a system that it does not support');`,
        loader: 'js',
      }));
    },
  };
}
