/** What has been measured so far: rows, and sentences about what could not be. */
import type { Part } from './options.ts';
import type { Times } from './stopwatch.ts';

/** PyTorch's float32 comes in two kinds: with full products, and with those of TF32, of 10 bits. */
export type Variant = 'fp32' | 'tf32' | 'fp16' | 'none';

export interface Row {
  readonly part: Part;
  readonly variant: Variant;
  /** What of the part, where there are several things: `resident`, `copied`. */
  readonly kind?: string;
  readonly batch?: number;
  readonly concurrency?: number;
  readonly imagesPerSecond?: number;
  /** Of one batch or one call. */
  readonly ms?: Times;
  /** Further figures by name. */
  readonly more?: Readonly<Record<string, number>>;
}

export interface Missing {
  readonly part: Part;
  readonly variant: Variant;
  readonly why: string;
}

export interface Results {
  readonly rows: Row[];
  readonly missing: Missing[];
  /** Facts about the machine, by name. */
  readonly machine: Record<string, string>;
}

export const find = (
  { rows }: Results,
  wanted: Partial<Pick<Row, 'part' | 'variant' | 'kind' | 'batch' | 'concurrency'>>,
): Row | undefined =>
  rows.find((row) =>
    Object.entries(wanted).every(([key, value]) => row[key as keyof Row] === value),
  );
