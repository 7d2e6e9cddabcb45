/** Bun for other machines, without which nothing can be built for them. */
import { runtimeFor } from '../../../build/runtime.ts';
import type { Target } from '../../../build/targets.ts';
import { defaultCacheDir } from '../../../src/cache-dir.ts';

/** Why a build for these targets is not possible here: no Bun for one of them, and no registry to get it from. */
export function missingRuntime(targets: readonly Target[]): string | undefined {
  try {
    for (const target of targets)
      runtimeFor(target, { cacheDir: defaultCacheDir(), tell: () => {} });
    return undefined;
  } catch (error) {
    return `Bun for another machine cannot be had: ${(error as Error).message}`;
  }
}
