import { expect } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeFor } from '../../build/runtime.ts';
import { targets } from '../../build/targets.ts';
import { defaultCacheDir } from '../../src/cache-dir.ts';
import { testUnless } from '../support/data.ts';

const emulator = Bun.which('qemu-aarch64-static');
/** Of Debian's libc6-arm64-cross. */
const libraries = '/usr/aarch64-linux-gnu';

/** Bun for arm64 where a build for it has fetched it; the reason otherwise. */
function findRuntime(): { path: string } | { missing: string } {
  if (!emulator) return { missing: 'qemu-aarch64-static is not installed' };
  if (!existsSync(libraries)) return { missing: `${libraries} is not there` };
  const target = targets.find(({ name }) => name === 'linux-arm64')!;
  try {
    return {
      path: runtimeFor(target, { cacheDir: defaultCacheDir(), offline: true, tell: () => {} }),
    };
  } catch (error) {
    return { missing: String(error) };
  }
}

const runtime = findRuntime();
const missing = 'missing' in runtime ? runtime.missing : undefined;
const seconds = 240;

testUnless(
  missing,
  'arm64 under qemu, gives the same int8 bits as x64',
  () => {
    if (!('path' in runtime)) return;
    const file = join(import.meta.dir, 'threads.test.ts');
    const args = ['test', '--timeout', String(1000 * seconds), file, '-t', 'every machine'];
    const { exitCode, stderr } = Bun.spawnSync(
      [emulator!, '-L', libraries, runtime.path, ...args],
      { cwd: join(import.meta.dir, '../..') },
    );
    const output = stderr.toString();
    expect(output).toContain('1 pass');
    expect(output).toContain('0 fail');
    expect(exitCode).toBe(0);
  },
  1000 * seconds,
);
