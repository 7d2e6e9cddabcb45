import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelError } from '../../model/errors.ts';
import { convLayers, layOut } from '../../model/resnet/layers.ts';
import { resnet50Torchvision } from '../../model/resnet/spec.ts';
import { detectFormat } from '../../model/weights/format.ts';
import { openWeights } from '../../model/weights/open-weights.ts';
import { openSafetensors } from '../../model/weights/safetensors.ts';
import { torchvisionWeights } from '../../model/weights/torchvision.ts';
import { testFolder } from '../support/test-folder.ts';
import { randomLayers, tinySpec } from './support/random-weights.ts';
import {
  safetensorsHeader,
  type Tensor,
  torchvisionTensors,
  writeSafetensors,
} from './support/write-safetensors.ts';

const folder = testFolder('safetensors');
const path = join(folder, 'model.safetensors');

const spec = tinySpec(resnet50Torchvision);
const layers = randomLayers(spec, 9);
const tensors = () => torchvisionTensors(layers);
const tensor = (shape: number[], value = 0): Tensor => ({
  shape,
  values: new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value),
});

function readAll() {
  const file = openSafetensors(path);
  try {
    return convLayers(layOut(spec)).map(torchvisionWeights(file, spec));
  } finally {
    file.close();
  }
}

test('torchvisionWeights, the values come back; the classifier and counters are left aside', () => {
  const all = tensors()
    .set('fc.weight', tensor([3, 40]))
    .set('fc.bias', tensor([3]));
  all.set('bn1.num_batches_tracked', tensor([]));
  const header = { __metadata__: { format: 'pt' }, ...safetensorsHeader(all) };
  writeSafetensors(path, all, header);
  for (const [index, weights] of readAll().entries()) {
    const { layer, bias, ...written } = layers[index]!;
    expect({ id: layer.id, bias, ...weights }).toEqual({ id: layer.id, bias, ...written });
  }
});

describe('torchvisionWeights, names what is wrong', () => {
  const cases: Record<string, [(all: Map<string, Tensor>) => unknown, RegExp]> = {
    'a missing tensor': [
      (all) => all.delete('layer2.0.downsample.1.bias'),
      /model\.safetensors: tensor layer2\.0\.downsample\.1\.bias is missing/,
    ],
    'a tensor of another network': [
      (all) => all.set('layer3.5.conv1.weight', tensor([1])),
      /tensor layer3\.5\.conv1\.weight does not belong to resnet50-torchvision/,
    ],
    'another shape': [
      (all) => all.set('conv1.weight', tensor([8, 3, 3, 3])),
      /tensor conv1\.weight has shape \[8, 3, 3, 3\], not \[8, 3, 7, 7\]/,
    ],
    NaN: [
      (all) => all.set('bn1.bias', tensor([8], Number.NaN)),
      /tensor bn1\.bias: value 0 is NaN/,
    ],
    'a negative variance': [
      (all) => all.set('bn1.running_var', tensor([8], -2)),
      /tensor bn1\.running_var: value 0 is -2, and a variance/,
    ],
    'a kernel that was never written': [
      (all) => all.set('layer1.0.conv2.weight', tensor([4, 4, 3, 3])),
      /tensor layer1\.0\.conv2\.weight: all 144 values are zero, which no trained kernel is/,
    ],
    'the gammas that a residual network begins with': [
      (all) => all.set('layer1.0.bn3.weight', tensor([16])),
      /tensor layer1\.0\.bn3\.weight: all 16 values are zero, which no trained gamma is/,
    ],
    'a variance that was never written': [
      (all) => all.set('bn1.running_var', tensor([8])),
      /tensor bn1\.running_var: all 8 values are zero, which no trained variance is/,
    ],
  };
  for (const [what, [edit, message]] of Object.entries(cases))
    test(`torchvisionWeights, ${what}`, () => {
      const all = tensors();
      edit(all);
      writeSafetensors(path, all);
      expect(readAll).toThrow(message);
      expect(readAll).toThrow(ModelError);
    });

  test('torchvisionWeights, another type', () => {
    const all = tensors();
    const header = safetensorsHeader(all);
    const entry = header['bn1.bias']!;
    // 8 float32 take the bytes of 16 float16.
    writeSafetensors(path, all, { ...header, 'bn1.bias': { ...entry, dtype: 'F16', shape: [16] } });
    expect(readAll).toThrow(/tensor bn1\.bias has shape \[16\]/);
    writeSafetensors(path, all, { ...header, 'bn1.bias': { ...entry, dtype: 'I32' } });
    expect(readAll).toThrow(/tensor bn1\.bias is I32, not F32/);
  });
});

describe('openSafetensors, a header that lies', () => {
  const two = new Map([
    ['a', tensor([2, 2])],
    ['b', tensor([3])],
  ]);
  const { a, b } = safetensorsHeader(two) as Record<'a' | 'b', object>;
  const headers: Record<string, [object | string, RegExp]> = {
    'not JSON': ['{"a": ', /header is not JSON/],
    'not an object': ['{"a": 3}', /tensor a/],
    'too little for the shape': [{ a: { ...a, data_offsets: [0, 12] }, b }, /needs 16 bytes/],
    'a hole': [{ a, b: { ...b, data_offsets: [20, 32] } }, /begins at byte 20, not at 16/],
    'shared bytes': [{ a, b: { ...b, data_offsets: [8, 20] } }, /begins at byte 8, not at 16/],
    'an end before the begin': [{ a, b: { ...b, data_offsets: [28, 16] } }, /has -12/],
    'more than the file has': [
      { a, b: { ...b, shape: [300], data_offsets: [16, 1216] } },
      /tensors of 1216 bytes, but 28 bytes are there/,
    ],
    'bytes that belong to none': [{ a }, /tensors of 16 bytes, but 28 bytes are there/],
    'a negative size': [{ a: { ...a, shape: [-2, -2] }, b }, /tensor a\.shape\.0/],
    'a fraction': [{ a: { ...a, shape: [1.5] }, b }, /tensor a\.shape\.0/],
    'a size beyond reason': [{ a: { ...a, shape: [2 ** 52, 2 ** 52] }, b }, /tensor a needs/],
    'an unknown type': [{ a: { ...a, dtype: 'F4' }, b }, /unknown type F4/],
    'an unknown field': [{ a: { ...a, extra: 1 }, b }, /tensor a\.extra/],
  };
  for (const [what, [header, message]] of Object.entries(headers))
    test(`openSafetensors, ${what}`, () => {
      writeSafetensors(path, two, header);
      expect(() => openSafetensors(path)).toThrow(message);
      expect(() => openSafetensors(path)).toThrow(ModelError);
    });

  test('openSafetensors, every shorter file is refused', () => {
    writeSafetensors(path, two);
    for (let keep = readFileSync(path).length - 1; keep >= 0; keep--) {
      truncateSync(path, keep);
      expect(() => openSafetensors(path)).toThrow(ModelError);
    }
  });

  test('openSafetensors, a header length of 2^63 bytes', () => {
    writeFileSync(path, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d]));
    expect(() => openSafetensors(path)).toThrow(/a header of 9223372036854775808 bytes/);
  });
});

describe('detectFormat, by content', () => {
  const write = (...bytes: number[]) => writeFileSync(path, Buffer.from(bytes));

  test('detectFormat, a PyTorch file is refused unopened', async () => {
    for (const head of [
      [0x50, 0x4b, 0x03, 0x04],
      [0x80, 0x02, 0x8a, 0x0a],
    ]) {
      write(...head, 0, 0, 0, 0, 0, 0);
      expect(() => detectFormat(path)).toThrow(/a pickle.*never opened here.*safetensors/);
      await expect(openWeights(path)).rejects.toBeInstanceOf(ModelError);
    }
  });

  test('detectFormat, anything else', () => {
    writeFileSync(path, '<!DOCTYPE html><html>');
    expect(() => detectFormat(path)).toThrow(/neither Keras weights \(HDF5\) nor safetensors/);
    writeFileSync(path, '');
    expect(() => detectFormat(path)).toThrow(/the file is empty/);
  });
});

describe('openWeights, gzipped', () => {
  const packed = join(folder, 'model.safetensors.gz');
  /** Of this process: others may be at it as well. */
  const temporaryFolders = () =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`.resnet50-encoder.${process.pid}.`));

  test('openWeights, reads the same and removes what it unpacked', async () => {
    const thin = randomLayers({ ...resnet50Torchvision, filters: [1, 1, 1, 1], stemFilters: 1 }, 1);
    writeSafetensors(path, torchvisionTensors(thin));
    writeFileSync(packed, Bun.gzipSync(readFileSync(path)));
    const { recipe, read, close } = await openWeights(packed);
    expect(temporaryFolders()).toHaveLength(1);
    const { layer, kernel } = thin[0]!;
    expect(read(layer).kernel).toEqual(kernel);
    expect(recipe.name).toBe('resnet50_torchvision_encoder');
    close();
    expect(temporaryFolders()).toEqual([]);
  });

  test('openWeights, a short gzip file leaves nothing behind', async () => {
    writeSafetensors(path, tensors());
    const gz = Bun.gzipSync(readFileSync(path));
    writeFileSync(packed, gz.subarray(0, gz.length >> 1));
    await expect(openWeights(packed)).rejects.toThrow(/model\.safetensors\.gz: cannot be unpacked/);
    expect(temporaryFolders()).toEqual([]);
  });

  test('openWeights, gzipped twice', async () => {
    writeFileSync(packed, Bun.gzipSync(Bun.gzipSync(Buffer.from('x'))));
    await expect(openWeights(packed)).rejects.toThrow(/gzipped twice/);
  });
});
