import { expect, test } from 'bun:test';
import {
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createOnnxruntimeEngine } from '../../src/inference/onnxruntime/engine.ts';
import { createSimdEngine } from '../../src/inference/simd/engine.ts';
import { findModel, openModel, precisionOf } from '../../src/model/open-model.ts';
import { openVariants } from '../../src/model/open-variants.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

test('openModel, a file that was changed is not served under the id of the good one', () => {
  const good = smallTestModel();
  expect(openModel(good, 'fp32').id).toMatch(/^small_encoder-fp32-[0-9a-f]{16}$/);

  const folder = testFolder('damaged');
  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(join(folder, 'resnet50.onnx'), bytes);
  copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));
  expect(() => openModel(join(folder, 'resnet50.onnx'), 'fp32')).toThrow(/checksum/);
});

test('openModel, a file that changes after it was read is read again', () => {
  const good = smallTestModel();
  const folder = testFolder('changed');
  const onnx = join(folder, 'resnet50.onnx');
  copyFileSync(good, onnx);
  copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));
  expect(openModel(onnx, 'fp32').id).toStartWith('small_encoder-fp32-');

  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(onnx, bytes);
  utimesSync(onnx, 1, 1);
  expect(() => openModel(onnx, 'fp32')).toThrow(/checksum/);
});

test('findModel, says what openModel would without reading the weights', () => {
  const good = smallTestModel();
  expect(findModel(good, 'fp32')).toEqual(openModel(good, 'fp32'));
  const folder = testFolder('found');
  const onnx = join(folder, 'resnet50.onnx');
  writeFileSync(onnx, new Uint8Array(readFileSync(good).length));
  copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));
  expect(findModel(onnx, 'fp32').id).toBe(findModel(good, 'fp32').id);
  writeFileSync(onnx, 'short');
  expect(() => findModel(onnx, 'fp32')).toThrow(
    /resnet50\.onnx has 5 bytes, but its manifest says/,
  );
  expect(() => findModel(good, 'int8')).toThrow(
    /--precision int8: .* has only fp32: give --precision fp32, or make it with/,
  );
});

test('openModel, a file that is not there, its folder, no manifest, or the manifest instead of the model', () => {
  const folder = dirname(smallTestModel());
  expect(() => openModel(folder, 'fp32')).toThrow(
    `--model ${folder}: that is a folder; give the ONNX file in it`,
  );
  const alone = join(testFolder('alone'), 'a.onnx');
  copyFileSync(smallTestModel(), alone);
  expect(() => openModel(alone, 'fp32')).toThrow(/its manifest .*a\.json is not there/);
  expect(() => openModel('/nowhere/a.onnx', 'fp32')).toThrow(/a\.onnx: there is no such file/);
  const manifest = smallTestModel().replace(/onnx$/, 'json');
  expect(() => openModel(manifest, 'fp32')).toThrow(/give the ONNX file beside it/);
});

test('precisionOf, what was asked for, else fp32, else the only one there is', () => {
  const good = smallTestModel();
  expect(precisionOf(good, undefined)).toBe('fp32');
  expect(precisionOf(good, 'int8')).toBe('int8');

  const folder = testFolder('int8-only');
  const manifest = JSON.parse(readFileSync(join(dirname(good), 'resnet50.json'), 'utf8'));
  manifest.variants = { int8: manifest.variants.fp32 };
  copyFileSync(good, join(folder, 'resnet50.onnx'));
  writeFileSync(join(folder, 'resnet50.json'), JSON.stringify(manifest));
  expect(precisionOf(join(folder, 'resnet50.onnx'), undefined)).toBe('int8');
});

/** A copy of the small model in a folder of its own. */
function copied(): string {
  const folder = testFolder('replaced');
  for (const name of ['resnet50.onnx', 'resnet50.json'])
    copyFileSync(join(dirname(smallTestModel()), name), join(folder, name));
  return join(folder, 'resnet50.onnx');
}

const replacements: Record<string, (path: string) => void> = {
  'that another was renamed to': (path) => {
    copyFileSync(smallTestModel(), `${path}.new`);
    const { atime, mtime } = statSync(path);
    utimesSync(`${path}.new`, atime, mtime);
    renameSync(`${path}.new`, path);
  },
  'that was written again': (path) => {
    copyFileSync(smallTestModel(), path);
    utimesSync(path, 1, 1);
  },
};
for (const [what, replace] of Object.entries(replacements))
  test(`a model’s file ${what}, is not read under the id of the one that was opened`, async () => {
    const path = copied();
    const model = openModel(path, 'fp32');
    replace(path);
    const { graph, dimension } = model.manifest;
    const onnxruntime = createOnnxruntimeEngine({
      ...{ slice: model.slice, input: graph.input, output: graph.output, dimension, threads: 1 },
      shape: [3, graph.height, graph.width],
    });
    for (const opening of [createSimdEngine({ model, threads: 1 }), onnxruntime])
      expect(await opening.then(() => 'opened', String)).toContain(
        `${path}: another file has taken its place`,
      );
  });

test('openModel, a file beside a manifest of another is not mistaken for it; a variant names its model', () => {
  const good = smallTestModel();
  const folder = testFolder('renamed');
  const at = (name: string): string => join(folder, name);
  const manifest = join(dirname(good), 'resnet50.json');
  for (const name of ['resnet50.onnx', 'mine.onnx', 'resnet50.int8.onnx'])
    copyFileSync(good, at(name));
  for (const name of ['resnet50.json', 'mine.json']) copyFileSync(manifest, at(name));
  expect(() => openModel(at('mine.onnx'), 'fp32')).toThrow(
    'mine.onnx: its manifest is that of resnet50.onnx',
  );
  expect(() => openModel(at('resnet50.int8.onnx'), 'int8')).toThrow(
    `give --model ${at('resnet50.onnx')} --precision int8`,
  );
});

test('openVariants, opens each once, and none of another model that has taken their place', () => {
  const folder = testFolder('variants');
  const [path, manifestPath] = [join(folder, 'resnet50.onnx'), join(folder, 'resnet50.json')];
  copyFileSync(smallTestModel(), path);
  copyFileSync(path, join(folder, 'half.onnx'));
  const manifest = JSON.parse(
    readFileSync(join(dirname(smallTestModel()), 'resnet50.json'), 'utf8'),
  );
  manifest.variants.fp16 = { ...manifest.variants.fp32, file: 'half.onnx' };
  writeFileSync(manifestPath, JSON.stringify(manifest));
  const variant = openVariants(path);
  const first = variant('fp32');
  expect(variant('fp32')).toBe(first);
  writeFileSync(manifestPath, JSON.stringify({ ...manifest, name: 'another_encoder' }));
  expect(variant('fp32')).toBe(first);
  expect(() => variant('fp16')).toThrow(`another model has taken the place of ${first.id}`);
  writeFileSync(manifestPath, JSON.stringify(manifest));
  expect(variant('fp16').precision).toBe('fp16');
});
