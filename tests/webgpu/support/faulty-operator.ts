/** Operators with tests/support/faulty-dawn.ts in them, whose GPU fails when a test says so. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { faultyExecutable } from '../../support/executable.ts';
import { tinyTestModel } from '../../support/models.ts';
import type { Operator } from '../../support/operator.ts';
import { testFolder } from '../../support/test-folder.ts';
import { type Driver, driver } from './drivers.ts';
import { start } from './operator.ts';

export interface Faulty extends AsyncDisposable {
  readonly operator: Operator;
  /** A file of this name in the operator's folder of faults. */
  readonly fault: (name: string) => void;
  /** Whether a fault has left a file of this name. */
  readonly has: (name: string) => boolean;
  /** Takes the driver's manifest away. */
  readonly removeDriver: () => void;
}

export interface FaultyOptions {
  /** @default one of a few channels */
  readonly model?: string;
  /** Those that are there from the start. */
  readonly faults?: readonly string[];
  readonly on?: Driver;
  readonly args?: readonly string[];
}

export async function startFaulty(options: FaultyOptions = {}): Promise<Faulty> {
  const { model = tinyTestModel(), faults = [], on = driver, args = [] } = options;
  const folder = testFolder('faults');
  const manifest = join(folder, 'icd.json');
  const { ICD, ...rest } = JSON.parse(readFileSync(on.manifest, 'utf8'));
  // A bare name is looked for by the linker, not beside the manifest.
  const library = ICD.library_path.includes('/')
    ? resolve(dirname(on.manifest), ICD.library_path)
    : ICD.library_path;
  writeFileSync(manifest, JSON.stringify({ ...rest, ICD: { ...ICD, library_path: library } }));
  const fault = (name: string): void => writeFileSync(join(folder, name), '');
  for (const each of faults) fault(each);
  const operator = await start({
    executable: await faultyExecutable(),
    model,
    // Trying graph capture takes half a second each time; some of the tests ask for it.
    args: ['--device', 'webgpu', '--allow-software-gpu', '--graph-capture', 'off', ...args],
    env: { ...on.env, VK_DRIVER_FILES: manifest, TEST_GPU_FAULTS: folder },
  });
  return {
    operator,
    fault,
    has: (name) => existsSync(join(folder, name)),
    removeDriver: () => rmSync(manifest),
    [Symbol.asyncDispose]: () => operator[Symbol.asyncDispose](),
  };
}
