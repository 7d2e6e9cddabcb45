/** Builds the executables that the tests start, so that none of them has to wait for it: part of `npm test`. */
import { runtimeFor } from '../../build/runtime.ts';
import { targets } from '../../build/targets.ts';
import { defaultCacheDir } from '../../src/cache-dir.ts';
import { missingEmulator } from './arm64.ts';
import { testExecutable } from './executable.ts';
import { preparedTestModel, smallTestModel } from './models.ts';

const tell = (line: string): void => console.log(line);

for (const model of [undefined, smallTestModel(), await preparedTestModel('untrained')])
  tell(await testExecutable(model));

// The arm64 test runs this under an emulator; without a registry it says what is missing.
const arm64 = targets.find(({ name }) => name === 'linux-arm64');
if (arm64 && missingEmulator === undefined)
  try {
    tell(runtimeFor(arm64, { cacheDir: defaultCacheDir(), tell }));
  } catch (error) {
    tell(`no Bun for arm64: ${(error as Error).message}`);
  }
