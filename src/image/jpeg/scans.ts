/** A JPEG file's segments and scans, counted and skipped without decoding (ITU-T T.81, annex B). */

/** Where the marker behind a scan's entropy-coded data is; restart markers belong to the data. */
export function endOfScan(jpeg: Uint8Array, start: number): number {
  for (let at = start; ; at += 2) {
    at = jpeg.indexOf(0xff, at);
    const marker = at < 0 ? undefined : jpeg[at + 1];
    if (marker === undefined) return jpeg.length;
    if (marker !== 0 && (marker & 0xf8) !== 0xd0) return at;
  }
}

export interface Scans {
  readonly count: number;
  /** Marker segments of every kind. */
  readonly segments: number;
  /** Whether the end-of-image marker comes after them. */
  readonly ended: boolean;
  /** Whether the scans bring the lowest coefficients of every component to their last bit. */
  readonly complete: boolean;
}

/** Looks at nothing behind the image: phones put whole films there. */
export function readScans(jpeg: Uint8Array): Scans {
  let count = 0;
  let segments = 0;
  let offset = 2;
  let missing: MissingBits | undefined;
  const found = (ended: boolean): Scans => ({
    count,
    segments,
    ended,
    complete: ![...(missing?.values() ?? [])].some((bits) => bits.some((left) => left !== 0)),
  });
  for (;;) {
    offset = jpeg.indexOf(0xff, offset);
    const marker = offset < 0 ? undefined : jpeg[offset + 1];
    if (marker === undefined) return found(false);
    if (marker === 0xd9) return found(true);
    if (marker === 0xff) offset += 1;
    else if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) offset += 2;
    else {
      const length = ((jpeg[offset + 2] ?? 0) << 8) | (jpeg[offset + 3] ?? 0);
      const start = offset + 4;
      offset += 2 + length;
      segments += 1;
      if (marker === 0xc2) missing ??= nothingSent(jpeg.subarray(start, offset));
      if (marker !== 0xda) continue;
      if (missing) noteScan(missing, jpeg.subarray(start, offset));
      count += 1;
      offset = endOfScan(jpeg, offset);
    }
  }
}

/** By component: how many bits of each of the lowest coefficients are still to come, -1 for all. */
type MissingBits = Map<number, Int8Array>;

/** As many as libjpeg looks at to decide whether it smooths blocks (SAVED_COEFS, jdcoefct.c). */
const lowest = 10;

/** @param frame - the body of a progressive frame's header */
function nothingSent(frame: Uint8Array): MissingBits {
  const missing: MissingBits = new Map();
  for (let at = 6; at < frame.length; at += 3) {
    const id = frame[at] ?? 0;
    // Of two components of one name the second gets nothing from a scan of its own.
    missing.set(missing.has(id) ? -at : id, new Int8Array(lowest).fill(-1));
  }
  return missing;
}

function noteScan(missing: MissingBits, scan: Uint8Array): void {
  const count = scan[0] ?? 0;
  const [first = 0, last = 0, bits = 0] = scan.subarray(1 + 2 * count);
  for (let i = 0; i < count; i++)
    missing.get(scan[1 + 2 * i] ?? 0)?.fill(bits & 15, first, last + 1);
}
