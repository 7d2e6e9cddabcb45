/**
 * The shared test data: real weights, photos, difficult files and golden vectors, kept outside the repository. A clone
 * without them skips the tests that need them, visibly; with REQUIRE_ALL=1 such a test fails instead.
 */
import { test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = process.env.TEST_DATA ?? join(import.meta.dir, '../../../shared/data');
const at = (path: string): string => join(root, path);

export const data = {
  root,
  kerasWeightsGz: at('weights/resnet50_keras_v1_testweights_notop.h5.gz'),
  torchvisionWeightsGz: at('weights/resnet50_killthebits_large_fp32.safetensors.gz'),
  photos: at('photos'),
  flowers: at('flowers'),
  edge: at('edge'),
  goldenKeras: at('golden/keras_v1.json'),
  goldenKerasVectors: at('golden/keras_v1_vectors.f32'),
  goldenTorchvision: at('golden/torchvision_v15.json'),
  goldenTorchvisionVectors: at('golden/torchvision_v15_vectors.f32'),
};

export const requireAll = process.env.REQUIRE_ALL === '1';
/** MAY_LACK=WORD: all but what is missing for a reason with this word. */
const mayLack = process.env.MAY_LACK;

type Body = () => unknown;

/** A test that needs something; `missing` says what is not there (undefined: everything is). */
export function testUnless(
  missing: string | undefined,
  name: string,
  body: Body,
  timeoutMs = 180_000,
): void {
  if (missing === undefined) test(name, () => body() as Promise<void>, timeoutMs);
  else if (requireAll && !(mayLack && missing.includes(mayLack)))
    test(name, () => {
      throw new Error(`REQUIRE_ALL=1, but ${missing}`);
    });
  else test.skipIf(true)(`${name} (skipped: ${missing})`, () => body() as undefined);
}

/** A test that needs a path of the shared data. */
export function testWith(path: string, name: string, body: Body, timeoutMs?: number): void {
  testUnless(existsSync(path) ? undefined : `${path} is not there`, name, body, timeoutMs);
}

/** A test that needs a program on the PATH. */
export function testWithProgram(
  program: string,
  name: string,
  body: Body,
  timeoutMs?: number,
): void {
  testUnless(Bun.which(program) ? undefined : `${program} is not installed`, name, body, timeoutMs);
}

/** The path of the unpacked file, kept in the temporary folder between runs. */
export function unpacked(gz: string): string {
  const folder = join(tmpdir(), 'resnet50-encoder-test-data');
  const path = join(folder, basename(gz, '.gz'));
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, Bun.gunzipSync(readFileSync(gz)));
  renameSync(temporary, path);
  return path;
}
