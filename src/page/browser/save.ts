/** Taking vectors along: files and the clipboard. */
import { npyFile } from './npy.ts';

export interface NamedVector {
  readonly name: string;
  readonly vector: Float32Array;
}

/** What the vectors are of; without it they are only numbers. */
export interface Origin {
  readonly operator: string;
  readonly modelId: string;
  readonly metricType: string;
}

/** Nine significant digits are enough to read back the same float32 (IEEE 754-2019, 5.12.2). */
const plain = (vector: Float32Array): number[] =>
  Array.from(vector, (value) => Number(value.toPrecision(9)));

export function vectorsAsJson(vectors: readonly NamedVector[], origin: Origin): string {
  return JSON.stringify({
    ...origin,
    dimension: vectors[0]?.vector.length ?? 0,
    vectors: vectors.map(({ name, vector }) => ({ name, vector: plain(vector) })),
  });
}

export function vectorAsJson(vector: Float32Array): string {
  return JSON.stringify(plain(vector));
}

export function downloadJson(name: string, json: string): void {
  download(name, new Blob([json], { type: 'application/json' }));
}

export function downloadNpy(name: string, vectors: readonly Float32Array[]): void {
  download(name, new Blob([npyFile(vectors)], { type: 'application/octet-stream' }));
}

function download(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken the blob by then; there is no event that says so.
  setTimeout(() => URL.revokeObjectURL(link.href), 30_000);
}

/**
 * Puts text on the clipboard. `navigator.clipboard` exists only in secure contexts, and an operator on the local network
 * is mostly visited by plain http: there the older command does it.
 */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!copied) throw new Error('the browser did not allow copying');
}

/** `holiday.jpg` as the stem of other files' names. */
export function stemOf(name: string): string {
  return name.replace(/\.[A-Za-z0-9]{1,5}$/, '') || 'vector';
}
