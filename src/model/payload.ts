/**
 * The model inside the executable. The build appends, after the program: each variant's ONNX file, starting on a page
 * boundary; a JSON index; the index's length as 8 bytes, little-endian; and 16 bytes of magic. Reading it back needs the
 * last 24 bytes and the index only, and engines then read the weights straight from the executable's file.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as v from 'valibot';
import { ConfigError } from '../errors.ts';
import { type FileSlice, fingerprintOf } from './file-slice.ts';
import { type Precision, precisions } from './manifest.ts';

export const payloadMagic = 'resnet50-encoder';
export const footerBytes = 8 + payloadMagic.length;
export const payloadAlignment = 4096;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const indexSchema = v.object({
  manifest: v.unknown(),
  /** Where each embedded variant lies in the executable. */
  variants: v.record(v.picklist(precisions), v.object({ offset: count, length: count })),
});

export interface PayloadIndex {
  readonly manifest: unknown;
  readonly variants: Partial<Record<Precision, { offset: number; length: number }>>;
}

export interface Payload {
  readonly manifest: unknown;
  readonly slices: Partial<Record<Precision, FileSlice>>;
}

export const damagedExecutable = (): ConfigError =>
  new ConfigError(
    'this executable is damaged: its end is missing or changed, and with it the model; copy it again, or give a model with --model FILE',
  );

/**
 * The model appended to `executable`, or undefined when it carries none.
 * @throws ConfigError when there is an end without what belongs to it
 */
export function readPayload(executable: string): Payload | undefined {
  const fd = openSync(executable, 'r');
  try {
    const stats = fstatSync(fd);
    const indexEnd = stats.size - footerBytes;
    if (indexEnd < 0) return undefined;
    const footer = readAt(fd, indexEnd, footerBytes);
    if (footer.toString('latin1', 8) !== payloadMagic) return undefined;
    const length = Number(footer.readBigUInt64LE(0));
    if (length > indexEnd) throw damagedExecutable();
    const index = parseIndex(readAt(fd, indexEnd - length, length), indexEnd - length);
    const fingerprint = fingerprintOf(stats);
    const slices: Partial<Record<Precision, FileSlice>> = {};
    for (const precision of precisions) {
      const place = index.variants[precision];
      if (place) slices[precision] = { path: executable, ...place, fingerprint };
    }
    return { manifest: index.manifest, slices };
  } finally {
    closeSync(fd);
  }
}

/** @param end - of what it may speak of */
function parseIndex(bytes: Buffer, end: number): PayloadIndex {
  try {
    const index = v.parse(indexSchema, JSON.parse(bytes.toString('utf8')));
    const places = Object.values(index.variants);
    if (places.every(({ offset, length }) => offset + length <= end)) return index;
  } catch {
    // No JSON, or another one.
  }
  throw damagedExecutable();
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const n = readSync(fd, bytes, done, length - done, position + done);
    if (n === 0) throw damagedExecutable();
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
