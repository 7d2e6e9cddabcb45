import { expect, test } from 'bun:test';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openModel } from '../../src/model/open-model.ts';
import { smallTestModel } from '../support/models.ts';

test('openModel, a file that was changed is not served under the id of the good one', () => {
  const good = smallTestModel();
  expect(openModel(good, 'fp32').id).toMatch(/^small_encoder-fp32-[0-9a-f]{16}$/);

  const folder = mkdtempSync(join(tmpdir(), 'damaged-'));
  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(join(folder, 'resnet50.onnx'), bytes);
  copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));
  expect(() => openModel(join(folder, 'resnet50.onnx'), 'fp32')).toThrow(/checksum/);
  rmSync(folder, { recursive: true });
});

test('openModel, a file that changes after it was read is read again', () => {
  const good = smallTestModel();
  const folder = mkdtempSync(join(tmpdir(), 'changed-'));
  const onnx = join(folder, 'resnet50.onnx');
  copyFileSync(good, onnx);
  copyFileSync(join(dirname(good), 'resnet50.json'), join(folder, 'resnet50.json'));
  expect(openModel(onnx, 'fp32').id).toStartWith('small_encoder-fp32-');

  const bytes = readFileSync(good);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(onnx, bytes);
  utimesSync(onnx, 1, 1);
  expect(() => openModel(onnx, 'fp32')).toThrow(/checksum/);
  rmSync(folder, { recursive: true });
});

test('openModel, a file that is not there, or the manifest instead of the model', () => {
  expect(() => openModel('/nowhere/a.onnx', 'fp32')).toThrow(/a\.onnx: there is no such file/);
  const manifest = smallTestModel().replace(/onnx$/, 'json');
  expect(() => openModel(manifest, 'fp32')).toThrow(/give the ONNX file beside it/);
});
