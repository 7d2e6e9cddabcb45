import { expect, test } from 'bun:test';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../src/errors.ts';
import { readSlice } from '../../src/model/file-slice.ts';
import { payloadTail, readPayload } from '../../src/model/payload.ts';
import { testFolder } from '../support/test-folder.ts';

const folder = testFolder('payload');
const file = (name: string, ...parts: Uint8Array[]): string => {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
};

test('readPayload, finds manifest and variants after the program', () => {
  const program = Buffer.alloc(100, 'p');
  const model = Buffer.from('the model');
  const tail = payloadTail({
    manifest: { name: 'x' },
    variants: { fp32: { offset: 100, length: model.length } },
  });
  const payload = readPayload(file('with', program, model, tail));
  expect(payload?.manifest).toEqual({ name: 'x' });
  const slice = payload?.slices.fp32;
  if (!slice) throw new Error('no fp32 slice');
  const fd = openSync(slice.path, 'r');
  const bytes = new Uint8Array(5);
  readSlice(fd, slice, 4, bytes);
  expect(Buffer.from(bytes).toString()).toBe('model');
  expect(() => readSlice(fd, slice, 5, bytes)).toThrow(RangeError);
  closeSync(fd);
});

test('readPayload, a program without a model has none', () => {
  expect(readPayload(file('without', Buffer.alloc(100, 'p')))).toBeUndefined();
});

test('readPayload, a file shorter than a payload’s end has none', () => {
  for (const length of [0, 1, 23])
    expect(readPayload(file('short', Buffer.alloc(length, 'p')))).toBeUndefined();
});

const tailOf = (text: string, length: bigint = BigInt(text.length)): Buffer => {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length);
  return Buffer.concat([Buffer.from(text), size, Buffer.from('resnet50-encoder')]);
};
const indexOf = (place: unknown): Buffer =>
  tailOf(JSON.stringify({ manifest: {}, variants: { fp32: place } }));

test.each<[string, Buffer]>([
  ['an index that is longer than the file', tailOf('{}', 5000n)],
  ['an index that no file could hold', tailOf('{}', 1n << 60n)],
  ['an index that is no JSON', tailOf('{"manifest":')],
  ['an index of nothing', tailOf('null')],
  ['an index without variants', tailOf('{"manifest":{}}')],
  ['a variant that ends beyond the file', indexOf({ offset: 50, length: 5000 })],
  ['a variant that begins before the file', indexOf({ offset: -1, length: 5 })],
  ['a variant without a place', indexOf({})],
  ['a precision that there is not', tailOf('{"manifest":{},"variants":{"fp64":{}}}')],
])('readPayload, %s, is damage', (_, tail) => {
  const path = file('damaged', Buffer.alloc(100, 'p'), tail);
  expect(() => readPayload(path)).toThrow(ConfigError);
  expect(() => readPayload(path)).toThrow('damaged');
});
