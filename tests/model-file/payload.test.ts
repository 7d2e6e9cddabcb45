import { afterAll, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSlice } from '../../src/model/file-slice.ts';
import { payloadTail, readPayload } from '../../src/model/payload.ts';

const folder = mkdtempSync(join(tmpdir(), 'payload-'));
afterAll(() => rmSync(folder, { recursive: true }));
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
