import { expect } from 'bun:test';
import { join } from 'node:path';
import { runtimeFor } from '../../build/runtime.ts';
import { targets } from '../../build/targets.ts';
import { defaultCacheDir } from '../../src/cache-dir.ts';
import { emulated, missingEmulator } from '../support/arm64.ts';
import { testUnless } from '../support/data.ts';

/** Bun for arm64 where a build for it has fetched it; the reason otherwise. */
function findRuntime(): { path: string } | { missing: string } {
  if (missingEmulator !== undefined) return { missing: missingEmulator };
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
    const { exitCode, stderr } = Bun.spawnSync([...emulated, runtime.path, ...args], {
      cwd: join(import.meta.dir, '../..'),
    });
    const output = stderr.toString();
    expect(output).toContain('1 pass');
    expect(output).toContain('0 fail');
    expect(exitCode).toBe(0);
  },
  1000 * seconds,
);
