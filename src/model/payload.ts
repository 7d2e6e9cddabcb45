/**
 * The model inside the executable. The build appends, after the program: each variant's ONNX file, starting on a page
 * boundary; a JSON index; the index's length as 8 bytes, little-endian; and 16 bytes of magic. Reading it back needs the
 * last 24 bytes and the index only, and engines then read the weights straight from the executable's file.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileSlice } from './file-slice.ts';
import type { Precision } from './manifest.ts';

export const payloadMagic = 'resnet50-encoder';
export const footerBytes = 8 + payloadMagic.length;
export const payloadAlignment = 4096;

export interface PayloadIndex {
  readonly manifest: unknown;
  /** Where each embedded variant lies in the executable. */
  readonly variants: Partial<Record<Precision, { offset: number; length: number }>>;
}

export interface Payload {
  readonly manifest: unknown;
  readonly slices: Partial<Record<Precision, FileSlice>>;
}

/** The model appended to `executable`, or undefined when it carries none. */
export function readPayload(executable: string): Payload | undefined {
  const fd = openSync(executable, 'r');
  try {
    const { size } = fstatSync(fd);
    const footer = readAt(fd, size - footerBytes, footerBytes);
    if (footer.toString('latin1', 8) !== payloadMagic) return undefined;
    const length = Number(footer.readBigUInt64LE(0));
    const json = readAt(fd, size - footerBytes - length, length).toString('utf8');
    const index = JSON.parse(json) as PayloadIndex;
    const slices: Partial<Record<Precision, FileSlice>> = {};
    for (const [precision, place] of Object.entries(index.variants))
      slices[precision as Precision] = { path: executable, ...place };
    return { manifest: index.manifest, slices };
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const n = readSync(fd, bytes, done, length - done, position + done);
    if (n === 0) throw new Error('the executable is damaged: its model ends early');
    done += n;
  }
  return bytes;
}

/** The bytes that close a payload: index, its length, the magic. */
export function payloadTail(index: PayloadIndex): Buffer {
  const json = Buffer.from(JSON.stringify(index), 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([json, length, Buffer.from(payloadMagic, 'latin1')]);
}
