/**
 * Takes the place of src/inference/simd/threads/open-thread.ts in the executable with faults: computing threads that fail.
 * A file in the folder TEST_CPU_FAULTS is a fault; the next thread that is sent to an image takes it:
 *   die    the thread throws
 *   hang   the thread does not come back
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as real from '../../src/inference/simd/threads/open-thread.ts';

const folder = process.env.TEST_CPU_FAULTS ?? '/nowhere';

function take(fault: 'die' | 'hang'): boolean {
  const path = join(folder, fault);
  if (!existsSync(path)) return false;
  rmSync(path, { force: true });
  return true;
}

export function openThread(parts: real.ThreadParts): real.OpenThread {
  const thread = real.openThread(parts);
  return {
    ...thread,
    join(context) {
      if (take('die')) throw new Error('a fault of the test');
      if (take('hang')) for (;;);
      thread.join(context);
    },
  };
}
