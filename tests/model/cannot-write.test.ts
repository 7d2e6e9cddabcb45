import { expect, test } from 'bun:test';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '../../model/errors.ts';
import { cannotWrite } from '../../model/files/cannot-write.ts';
import { stageFile, writeFileAtomically } from '../../model/files/staged-file.ts';
import { testUnless } from '../support/data.ts';
import { testFolder } from '../support/test-folder.ts';

const full = existsSync('/dev/full') ? undefined : '/dev/full is not there';

testUnless(full, 'cannotWrite, a full disk: which file, how much and where', () => {
  const fd = openSync('/dev/full', 'w');
  try {
    writeSync(fd, new Uint8Array(10));
    throw new Error('it was written');
  } catch (error) {
    expect(cannotWrite('/a/resnet50.onnx', error, 93.9e6).message).toBe(
      '/a/resnet50.onnx cannot be written: the disk is full: there is no room for its 93.9 MB in /a',
    );
  } finally {
    closeSync(fd);
  }
});

test('stageFile, a folder that is not there: the file by its own name, and the system’s reason', () => {
  expect(() => stageFile('/nowhere/resnet50.onnx', 'x')).toThrow(
    /^\/nowhere\/resnet50\.onnx cannot be written: there is no folder \/nowhere/,
  );
});

test('cannotWrite, a name that the system does not give up: a sentence that names the file', () => {
  // What renaming onto a file that is mounted by itself is told.
  const error = { code: 'EBUSY' };
  expect(cannotWrite('/models/resnet50.onnx', error).message).toBe(
    '/models/resnet50.onnx cannot be written: it is in use by the system: mounted by itself, as a single file of a container is, it cannot be replaced; mount /models instead',
  );
});

test('stageFile, a name that a folder has: a ModelError, and no temporary file is left', () => {
  const folder = testFolder('taken');
  const path = join(folder, 'resnet50.onnx');
  mkdirSync(join(path, 'something'), { recursive: true });
  const failure = expect(() => writeFileAtomically(path, 'x'));
  failure.toThrow(`${path} cannot be written: that is a folder`);
  failure.toThrow(ModelError);
  expect(readdirSync(folder)).toEqual(['resnet50.onnx']);
});
