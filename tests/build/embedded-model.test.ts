/** What goes into an executable is what its manifest describes: nobody looks at the checksum again. */
import { expect, test } from 'bun:test';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appendModel } from '../../build/append-model.ts';
import { embeddedModel } from '../../build/embedded-model.ts';
import { ConfigError } from '../../src/errors.ts';
import { readPayload } from '../../src/model/payload.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const folder = testFolder('embedded');

const good = smallTestModel();
const copy = join(folder, 'resnet50.onnx');
copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));

/** @returns the sentence of the refusal */
function refusal(onnx: string, precision: string): string {
  try {
    embeddedModel(onnx, precision, false);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return 'nothing was refused';
}

test('embeddedModel, takes the file that the manifest describes', () => {
  expect(embeddedModel(good, 'fp32', false).files).toEqual({ fp32: good });
  expect(embeddedModel(good, 'all', false).files.fp32).toBe(good);
});

test('appendModel, the model begins on a page of its own, whatever the length of the program', () => {
  const executable = join(folder, 'program');
  writeFileSync(executable, Buffer.alloc(5000, 'p'));
  appendModel(executable, embeddedModel(good, 'fp32', false));
  const slice = readPayload(executable)?.slices.fp32;
  expect(slice?.offset).toBe(8192);
  const bytes = readFileSync(executable).subarray(8192, 8192 + (slice?.length ?? 0));
  expect(bytes.equals(readFileSync(good))).toBe(true);
});

test('embeddedModel, refuses another network of the same length', () => {
  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(copy, bytes);
  expect(refusal(copy, 'fp32')).toMatch(
    /the checksum of resnet50\.onnx is not the one in its manifest/,
  );
  expect(refusal(copy, 'all')).toMatch(/checksum/);
});

test('embeddedModel, a model that is not there, without its manifest or without the precision', () => {
  expect(refusal(join(folder, 'none.onnx'), 'fp32')).toContain('there is no such file');
  const lonely = join(folder, 'lonely.onnx');
  copyFileSync(good, lonely);
  expect(refusal(lonely, 'fp32')).toMatch(/its manifest .*lonely\.json is not there/);
  expect(refusal(good, 'fp16')).toMatch(/--precision fp16: .*model -- convert/);
});

test('appendModel, refuses a file that has changed since it was looked at', () => {
  const onnx = join(folder, 'changing.onnx');
  copyFileSync(good, onnx);
  const model = { ...embeddedModel(good, 'fp32', false), files: { fp32: onnx } };
  const executable = join(folder, 'executable');
  writeFileSync(executable, 'program');
  appendModel(executable, model);
  const slice = readPayload(executable)!.slices.fp32!;
  const appended = readFileSync(executable).subarray(slice.offset, slice.offset + slice.length);
  expect(appended.equals(readFileSync(good))).toBe(true);

  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(onnx, bytes);
  expect(() => appendModel(executable, model)).toThrow(`${onnx} has changed while it was built in`);
});
