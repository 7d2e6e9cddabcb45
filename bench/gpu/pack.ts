/** What a GPU host needs that has neither npm nor a network: the operator without a model, and this program. */
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { operatorExecutable } from './executable.ts';

/**
 * A window that spans both executables: all of the runtime and of the GPU's library is in the second one again. A higher
 * preset saves a tenth and takes five times as long.
 */
const xz = 'xz -T1 --lzma2=preset=1,dict=256MiB';
/** So that the host needs no Vulkan loader either; the driver is the host's own. */
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';

export async function pack(
  folder: string,
  executable: string | undefined,
  tell: (line: string) => void,
): Promise<void> {
  const { compile } = await import('../../build/compile.ts');
  const inside = join(folder, 'bench-gpu');
  mkdirSync(inside, { recursive: true });
  const operator = await operatorExecutable(executable, inside, tell);
  if (executable) copyFileSync(operator, join(inside, 'resnet50-encoder'));
  tell('building this program');
  await compile({ outfile: join(inside, 'bench-gpu'), entry: 'bench/gpu.ts' });
  if (existsSync(loader)) copyFileSync(loader, join(inside, 'libvulkan.so.1'));
  else tell(`no ${loader} to pack: the GPU host needs one`);
  tell('compressing, which takes a minute');
  const archive = join(folder, 'bench-gpu.tar.xz');
  const { exitCode, stderr } = Bun.spawnSync(
    ['tar', '-C', folder, '-I', xz, '-cf', archive, 'bench-gpu'],
    { stderr: 'pipe' },
  );
  if (exitCode !== 0) throw new Error(`tar: ${stderr.toString().trim()}`);
  tell(`${archive}: ${(statSync(archive).size / 2 ** 20).toFixed(1)} MiB`);
}
