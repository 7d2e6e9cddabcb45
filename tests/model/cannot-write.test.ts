import { expect, test } from 'bun:test';
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { cannotWrite } from '../../model/files/cannot-write.ts';
import { stageFile } from '../../model/files/staged-file.ts';
import { testUnless } from '../support/data.ts';

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
