/**
 * Takes the place of src/image/prepare-image.ts in the executable with faults: decoding threads that hang. Each file of the
 * folder TEST_DECODING_FAULTS is one image that a thread does not come back from; the next thread takes it.
 */
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as real from '../../src/image/prepare-image.ts';

export const { inspectImage } = real;

const folder = process.env.TEST_DECODING_FAULTS;

function take(): boolean {
  if (!folder) return false;
  for (const name of readdirSync(folder)) {
    try {
      unlinkSync(join(folder, name));
      return true;
    } catch {} // another thread was faster
  }
  return false;
}

export const prepareImage: typeof real.prepareImage = async (...parts) => {
  if (take()) for (;;);
  return real.prepareImage(...parts);
};
