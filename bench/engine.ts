/**
 * The engines in turn on one model: `npm run bench -- engine --model FOLDER/resnet50.onnx`, see `--help`. They run in an
 * executable made as the product is, with `cpu/main.ts` for a program.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../build/compile.ts';
import { nativeAddon } from './cpu/native-addon.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'));
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
