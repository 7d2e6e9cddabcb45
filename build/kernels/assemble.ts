/** Assembles the kernels into the .wasm files that the product embeds: `bun build/kernels/assemble.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { fp32Module } from './fp32.ts';
import { int8Module, int8PlainModule } from './int8/modules.ts';

export const folder: string = join(import.meta.dir, '../../src/inference/simd/kernels');

/** The kernel modules by file name, as text. */
export const modules: Readonly<Record<string, string>> = {
  'fp32.wasm': fp32Module,
  'int8.wasm': int8Module,
  'int8-plain.wasm': int8PlainModule,
};

/** WebAssembly text to bytes. Nothing is optimised: the engine's compiler does that, and the text says what runs. */
export function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(
      binaryen.Features.MVP |
        binaryen.Features.Atomics |
        binaryen.Features.BulkMemory |
        binaryen.Features.BulkMemoryOpt |
        binaryen.Features.SIMD128 |
        binaryen.Features.RelaxedSIMD,
    );
    if (!module.validate()) throw new Error('the kernels are not a valid module');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

if (import.meta.main)
  for (const [file, text] of Object.entries(modules)) {
    const bytes = assemble(text);
    writeFileSync(join(folder, file), bytes);
    console.log(`${file}: ${bytes.length} bytes`);
  }
