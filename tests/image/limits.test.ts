import { expect, test } from 'bun:test';
import { checkBytes, checkDecodedBytes, checkPixels } from '../../src/image/limits.ts';

const limits = { maxImageBytes: 1000, maxImagePixels: 600, maxDecodedBytes: 5000 };

test('limits, what is just allowed passes, and one more does not', () => {
  checkBytes(1000, limits);
  checkPixels(30, 20, limits);
  checkDecodedBytes(5000, limits);
  expect(() => checkBytes(1001, limits)).toThrow('more than 1000 bytes (--max-image-bytes)');
  expect(() => checkPixels(601, 1, limits)).toThrow('601×1 = 601 pixels; at most 600');
  expect(() => checkDecodedBytes(5001, limits)).toThrow('5001 bytes of memory; at most 5000');
});
