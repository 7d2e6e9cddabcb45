/**
 * The engines in turn on one model: `npm run bench -- engine --model FOLDER/resnet50.onnx`, see `--help`. They run in an
 * executable made as the product is, with `cpu/main.ts` for a program.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../build/compile.ts';
import { temporaryFolder } from '../model/files/abandoned.ts';
import { endOnSignal } from '../model/files/end-on-signal.ts';
import { nativeAddon } from './cpu/native-addon.ts';

// The program below says that it was interrupted.
endOnSignal(() => {});
const folder = temporaryFolder(tmpdir(), 'bench-engine');
try {
  const outfile = join(folder, 'bench-engine');
  await compile({ outfile, entry: 'bench/cpu/main.ts', plugins: [nativeAddon] });
  const child = Bun.spawn([outfile, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  process.exitCode = await child.exited;
} finally {
  rmSync(folder, { recursive: true });
}
