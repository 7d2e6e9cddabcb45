/** The golden vectors: what the reference implementations gave for each file of the shared data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { data } from './data.ts';

export interface GoldenItem {
  /** Path within the shared data. */
  readonly file: string;
  /** Pillow's mode; absent for a file that Pillow rejects. */
  readonly mode?: string;
  /** Why Pillow rejects it. */
  readonly expect?: string;
  readonly rgb224_sha256?: string;
  readonly row?: number;
  /** Arg max of the classifier's head, where there is one. */
  readonly top1?: number;
}

export interface Golden {
  readonly items: readonly GoldenItem[];
  vector(row: number): Float32Array;
  bytes(item: GoldenItem): Uint8Array;
}

export function readGolden(json: string, vectors: string): Golden {
  const { items, dimension } = JSON.parse(readFileSync(json, 'utf8'));
  const raw = readFileSync(vectors);
  const all = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
  return {
    items,
    vector: (row) => all.subarray(row * dimension, (row + 1) * dimension),
    bytes: (item) => readFileSync(join(data.root, item.file)),
  };
}
