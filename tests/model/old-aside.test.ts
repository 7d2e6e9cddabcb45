import { beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addVariant } from '../../model/add-variant.ts';
import { ModelError } from '../../model/errors.ts';
import { withOldAside } from '../../model/files/old-aside.ts';
import { changedSmallModel, manifestBeside } from '../support/changed-model.ts';
import { testFolder } from '../support/test-folder.ts';

let folder: string;
let paths: [string, string, string];
const contents = () =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

beforeEach(() => {
  folder = testFolder('aside');
  paths = ['a', 'b', 'c'].map((name) => join(folder, name)) as typeof paths;
  writeFileSync(paths[0], 'old a');
  writeFileSync(paths[1], 'old b');
});

/** None of the old files is under its name meanwhile. */
function replaceSome(): void {
  expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]);
  writeFileSync(paths[1], 'new b');
  writeFileSync(paths[2], 'new c');
}

test('withOldAside, the new files, and nothing of the old ones', () => {
  withOldAside(paths, replaceSome);
  expect(contents()).toEqual({ b: 'new b', c: 'new c' });
});

test('withOldAside, a failure: the old files, and nothing of the new ones', () => {
  const failing = () =>
    withOldAside(paths, () => {
      replaceSome();
      throw new Error('the disk is full');
    });
  expect(failing).toThrow('the disk is full');
  expect(contents()).toEqual({ a: 'old a', b: 'old b' });
});

test('withOldAside, a folder in the place of a file is not moved', () => {
  mkdirSync(join(paths[2], 'deep'), { recursive: true });
  const failing = () => withOldAside(paths, () => expect.unreachable());
  expect(failing).toThrow(`${paths[2]} cannot be written: that is a folder`);
  expect(failing).toThrow(ModelError);
  expect(readdirSync(folder).sort()).toEqual(['a', 'b', 'c']);
});

test('addVariant, a manifest that cannot be replaced: the old variant is still there', async () => {
  const model = changedSmallModel((weights) => weights);
  const manifest = manifestBeside(model);
  const add = (content: string, notes: Record<string, string>) => {
    const bytes = new TextEncoder().encode(content);
    return addVariant({ model, manifest, precision: 'int8', bytes, notes });
  };
  const { onnxPath } = await add('old', {});
  const json = model.replace(/onnx$/, 'json');
  let asked = 0;
  const notes = {
    // Asked when the old manifest has been read: from then on a folder is in its place.
    get made(): string {
      if (asked++ === 0) {
        rmSync(json);
        mkdirSync(join(json, 'deep'), { recursive: true });
      }
      return 'by a test';
    },
  };
  await expect(add('new', notes)).rejects.toThrow(`${json} cannot be written: that is a folder`);
  expect(asked).toBeGreaterThan(0);
  expect(readFileSync(onnxPath, 'utf8')).toBe('old');
  expect(readdirSync(dirname(model)).sort()).toEqual([
    'resnet50.int8.onnx',
    'resnet50.json',
    'resnet50.onnx',
  ]);
});
