/** Hostile files. The oracle: pixels or a typed error that blames the file; anything else is a bug of ours. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Format } from '../../src/image/format.ts';
import { textureJpeg, texturePng } from '../support/pictures.ts';
import pillow from './pillow-files.json';
import forms from './pillow-forms.json';
import { decode, failure } from './support.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 250);
const options = { numRuns: runs, interruptAfterTimeLimit: 20_000 };

/** Not `prepareImage`: that would turn what a decoder did not foresee into IMAGE_CORRUPT. */
async function survives(bytes: Uint8Array): Promise<void> {
  const outcome = await decode(bytes).catch((error: unknown) =>
    failure(() => Promise.reject(error)),
  );
  if ('code' in outcome) expect(outcome.code).toMatch(/^IMAGE_/);
  else expect(outcome.data.length).toBe(outcome.width * outcome.height * outcome.channels);
}

const size = { width: 40, height: 30, seed: 5 };
const samples: Uint8Array[] = [
  await textureJpeg(size),
  await textureJpeg({ ...size, progressive: true }),
  await textureJpeg({ ...size, grey: true }),
  texturePng(size),
  ...[...pillow.files, ...forms.files].map(({ base64 }) => Buffer.from(base64, 'base64')),
];

const mutation = fc.record({
  // Not fc.double: it favours values next to 0, and every damage would hit the first bytes.
  at: fc.integer({ min: 0, max: 9999 }).map((part) => part / 10_000),
  kind: fc.constantFrom('set', 'flip', 'cut', 'repeat', 'end'),
  value: fc.nat(255),
});

function mutate(
  bytes: Uint8Array,
  { at, kind, value }: { at: number; kind: string; value: number },
): Uint8Array {
  const copy = Buffer.from(bytes);
  const offset = Math.floor(at * (bytes.length - 1));
  if (kind === 'end') return copy.subarray(0, offset);
  if (kind === 'cut')
    return Buffer.concat([copy.subarray(0, offset), copy.subarray(offset + 1 + (value & 15))]);
  if (kind === 'repeat')
    return Buffer.concat([copy.subarray(0, offset), copy.subarray(Math.max(0, offset - value))]);
  copy[offset] = kind === 'set' ? value : (copy[offset] ?? 0) ^ (1 << (value & 7));
  return copy;
}

test('decode, damaged files of every format', async () => {
  const property = fc.asyncProperty(
    fc.nat(samples.length - 1),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    async (index, mutations) => {
      await survives(mutations.reduce(mutate, samples[index] as Uint8Array));
    },
  );
  await fc.assert(property, { ...options, numRuns: 4 * runs });
}, 180_000);

const beginnings: Record<Format, string> = {
  JPEG: '\xff\xd8\xff',
  PNG: '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
  GIF: 'GIF89a',
  BMP: 'BM',
  WebP: 'RIFF\x40\0\0\0WEBPVP8',
  TIFF: 'II*\0\x08\0\0\0',
};
for (const [format, beginning] of Object.entries(beginnings))
  test(`decode, random bytes behind the beginning of ${format}`, async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 20, maxLength: 400, size: 'max' }),
      (raw) => survives(Buffer.concat([Buffer.from(beginning, 'latin1'), raw])),
    );
    await fc.assert(property, options);
  }, 180_000);
