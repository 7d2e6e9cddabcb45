/** Keeping is a help for the next start: where it cannot be done, this start is none the worse. */
import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCalibrationCache } from '../../src/inference/opening/calibration-cache.ts';
import { testFolder } from '../support/test-folder.ts';

const calibration = { take: 'gpu', agree: true, gpuMs: 1, cpuMs: 2, cosine: 1 } as const;

test('calibration cache, keeps beside what is there and leaves no other file', () => {
  const folder = join(testFolder('calibration'), 'new');
  createCalibrationCache(folder).keep('a', calibration);
  createCalibrationCache(folder).keep('b', { ...calibration, take: 'cpu' });
  const { find } = createCalibrationCache(folder);
  expect(find('a')).toEqual(calibration);
  expect(find('b')?.take).toBe('cpu');
  expect(find('c')).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['calibration.json']);
});

test('calibration cache, a folder that cannot be made, or that has something else by that name', () => {
  const folder = testFolder('calibration');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  mkdirSync(join(folder, 'calibration.json'));
  for (const unusable of [file, join(file, 'below'), folder]) {
    const { keep, find } = createCalibrationCache(unusable);
    expect(() => keep('a', calibration)).not.toThrow();
    expect(find('a')).toBeUndefined();
  }
  expect(readdirSync(folder).sort()).toEqual(['calibration.json', 'file']);
});

// In containers every process has the number 1.
test('calibration cache, another process with this one’s number is not in the way', () => {
  const folder = testFolder('calibration');
  mkdirSync(join(folder, `calibration.json.${process.pid}`));
  const { keep, find } = createCalibrationCache(folder);
  expect(() => keep('a', calibration)).not.toThrow();
  expect(find('a')).toEqual(calibration);
});
