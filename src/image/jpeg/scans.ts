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
}

/** Looks at nothing behind the image: phones put whole films there. */
export function readScans(jpeg: Uint8Array): Scans {
  let count = 0;
  let segments = 0;
  let offset = 2;
  for (;;) {
    offset = jpeg.indexOf(0xff, offset);
    const marker = offset < 0 ? undefined : jpeg[offset + 1];
    if (marker === undefined) return { count, segments, ended: false };
    if (marker === 0xd9) return { count, segments, ended: true };
    if (marker === 0xff) offset += 1;
    else if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) offset += 2;
    else {
      const length = ((jpeg[offset + 2] ?? 0) << 8) | (jpeg[offset + 3] ?? 0);
      offset += 2 + length;
      segments += 1;
      if (marker !== 0xda) continue;
      count += 1;
      offset = endOfScan(jpeg, offset);
    }
  }
}
