/** A weights file that is exchanged or written to while it is read: the checksum in the manifest is of what was read. */
import { beforeEach, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '../../model/errors.ts';
import { assertSameFile, hashFile } from '../../model/files/hash-file.ts';
import { prepareModel } from '../../model/prepare.ts';
import { convLayers, layOut } from '../../model/resnet/layers.ts';
import { resnet50KerasV1, resnet50Torchvision } from '../../model/resnet/spec.ts';
import { openWeights } from '../../model/weights/open-weights.ts';
import { testFolder } from '../support/test-folder.ts';
import { type RandomLayer, randomLayers } from './support/random-weights.ts';
import { layouts, writeKeras } from './support/write-keras.ts';
import { torchvisionTensors, writeSafetensors } from './support/write-safetensors.ts';

let folder: string;
beforeEach(() => {
  folder = testFolder('changed-weights');
});

const changed = /the file has been changed, or another has taken its place/;

/** Puts a copy of the same bytes in its place. */
function exchange(path: string): void {
  copyFileSync(path, `${path}.new`);
  renameSync(`${path}.new`, path);
}

test('hashFile, tells a file from its copy and from itself once it has been written to', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'weights');
  const { fingerprint } = await hashFile(path);
  assertSameFile(path, fingerprint);
  for (const change of [
    () => exchange(path),
    () => appendFileSync(path, 'more'),
    () => utimesSync(path, 1, 1),
    () => rmSync(path),
  ]) {
    const { fingerprint } = await hashFile(path);
    change();
    expect(() => assertSameFile(path, fingerprint)).toThrow(changed);
    expect(() => assertSameFile(path, fingerprint)).toThrow(ModelError);
  }
});

describe('openWeights, of a file that was hashed', () => {
  const thin = { filters: [1, 1, 1, 1], stemFilters: 1 };
  const writers: Record<string, (path: string) => void> = {
    'Keras weights': (path) =>
      writeKeras(path, randomLayers({ ...resnet50KerasV1, ...thin }, 1), layouts['Keras 2']),
    safetensors: (path) =>
      writeSafetensors(
        path,
        torchvisionTensors(randomLayers({ ...resnet50Torchvision, ...thin }, 1)),
      ),
    'gzipped weights': (path) => {
      writers.safetensors!(path);
      writeFileSync(path, Bun.gzipSync(readFileSync(path)));
    },
  };
  for (const [what, write] of Object.entries(writers)) {
    test(`openWeights, ${what} exchanged before they are opened`, async () => {
      const path = join(folder, 'weights');
      write(path);
      const { fingerprint } = await hashFile(path);
      (await openWeights(path, fingerprint)).close();
      exchange(path);
      await expect(openWeights(path, fingerprint)).rejects.toThrow(changed);
    });

    test(`openWeights, ${what} exchanged while they are read`, async () => {
      const path = join(folder, 'weights');
      write(path);
      const { fingerprint } = await hashFile(path);
      const { assertUnchanged, close } = await openWeights(path, fingerprint);
      assertUnchanged();
      exchange(path);
      expect(assertUnchanged).toThrow(changed);
      close();
    });
  }
});

/** As large as the real ones, and all of a kind. */
const evenLayers = (): RandomLayer[] =>
  convLayers(layOut(resnet50Torchvision)).map((layer) => {
    const { inChannels, outChannels, kernel } = layer;
    const each = (value: number) => new Float32Array(outChannels).fill(value);
    return {
      layer,
      kernel: new Float32Array(outChannels * inChannels * kernel * kernel).fill(0.01),
      ...{ gamma: each(1), beta: each(0), mean: each(0), variance: each(1) },
    };
  });

test('prepareModel, weights exchanged while they are read: no model of them', async () => {
  const weights = join(folder, 'weights.safetensors');
  writeSafetensors(weights, torchvisionTensors(evenLayers()));
  const out = join(folder, 'out');
  const tell = (line: string): void => {
    if (line.includes(': weights of ')) exchange(weights);
  };
  await expect(prepareModel({ weights, out, tell })).rejects.toThrow(changed);
  expect(readdirSync(folder)).toEqual(['weights.safetensors']);
  await prepareModel({ weights, out });
  expect(readdirSync(out).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
});
