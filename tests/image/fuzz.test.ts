/**
 * Hostile files. The oracle: pixels or a typed error that blames the file, within two seconds; anything else is a bug of ours.
 * FUZZ_RUNS makes more of them.
 */
import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { OperatorError } from '../../src/errors.ts';
import type { Format } from '../../src/image/format.ts';
import type { ImageLimits } from '../../src/image/pipeline.ts';
import type { Pixels } from '../../src/image/pixels.ts';
import { inspectImage } from '../../src/image/prepare-image.ts';
import { data, testWith } from '../support/data.ts';
import { fastest } from '../support/fastest.ts';
import { textureJpeg, texturePng } from '../support/pictures.ts';
import pillow from './pillow-files.json';
import forms from './pillow-forms.json';
import { decoders, failure, limits } from './support.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 250);
const options = { numRuns: runs, interruptAfterTimeLimit: 20_000 };

/** Damage can make a file of forty pixels say that it has a hundred million; that would cost time and show nothing. */
const small: ImageLimits = { ...limits, maxImagePixels: 1_000_000 };

/** Not `prepareImage`: that would turn what a decoder did not foresee into IMAGE_CORRUPT. */
const decode = async (bytes: Uint8Array): Promise<Pixels> =>
  inspectImage(bytes, small, decoders).decoder.decode(bytes);

const outcomeOf = (bytes: Uint8Array): Promise<Pixels | OperatorError> =>
  decode(bytes).catch((error: unknown) => failure(() => Promise.reject(error)));

async function survives(bytes: Uint8Array): Promise<void> {
  const begun = performance.now();
  const outcome = await outcomeOf(bytes);
  // Once more if it was slow: the machine may have been.
  if (performance.now() - begun > 2000)
    expect(await fastest(3, () => outcomeOf(bytes))).toBeLessThan(2000);
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
  kind: fc.constantFrom('set', 'flip', 'cut', 'repeat', 'end', 'number'),
  value: fc.nat(255),
});

const numbers = [0xffffffff, 0x80000000, 0x7fffffff, 1_000_000, 0xffff, 1000, 0];

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
  if (kind === 'number' && copy.length >= 4) {
    // Counts, sizes and places are numbers of four bytes in most formats, in either order.
    const number = numbers[value % numbers.length] as number;
    if (value & 1) copy.writeUInt32LE(number, Math.min(offset, copy.length - 4));
    else copy.writeUInt32BE(number, Math.min(offset, copy.length - 4));
    return copy;
  }
  copy[offset] = kind === 'set' ? value : (copy[offset] ?? 0) ^ (1 << (value & 7));
  return copy;
}

/** @param files - what is damaged, each of them at random */
async function surviveDamage(files: readonly Uint8Array[], numRuns: number): Promise<void> {
  const property = fc.asyncProperty(
    fc.nat(files.length - 1),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    async (index, mutations) => {
      await survives(mutations.reduce(mutate, files[index] as Uint8Array));
    },
  );
  await fc.assert(property, { ...options, numRuns });
}

test('decode, damaged files of every format', () => surviveDamage(samples, 8 * runs), 180_000);

testWith(
  data.edge,
  'decode, difficult files, damaged',
  async () => {
    const files = readdirSync(data.edge).map((name) => readFileSync(join(data.edge, name)));
    await surviveDamage(
      files.filter(({ length }) => length < 60_000),
      runs,
    );
  },
  180_000,
);

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
