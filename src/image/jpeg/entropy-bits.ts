/** Entropy-coded JPEG data bit by bit (ITU-T T.81, annexes C and F): reading codes without decoding, and writing them. */
import { OperatorError } from '../../errors.ts';

/** By the next 16 bits: the code's length in the upper byte, its symbol in the lower; 0 where no code begins so. */
export type HuffmanTable = Uint16Array;

/** @param counts - how many codes there are of each length, 1 to 16 bits */
export function buildHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const table = new Uint16Array(65536);
  let code = 0; // left-aligned in 16 bits
  let next = 0;
  for (let length = 1; length <= 16; length++) {
    const span = 1 << (16 - length);
    for (let i = 0; i < (counts[length - 1] ?? 0); i++) {
      if (code + span > 65536)
        throw new OperatorError('IMAGE_CORRUPT', 'a JPEG Huffman table has too many codes');
      table.fill((length << 8) | (symbols[next++] ?? 0), code, code + span);
      code += span;
    }
  }
  return table;
}

export interface BitReader {
  /** Reads the next `count` ≤ 16 bits. */
  take(count: number): number;
  /** Reads a code: its bits from bit 16 up, its length in bits 8 to 15, its symbol in bits 0 to 7. */
  takeCode(table: HuffmanTable): number;
  /** Goes behind the restart marker that must come next. */
  restart(): void;
}

/** Reads from `start` up to the next marker; asking for more is an error, since the image is then not complete. */
export function createBitReader(bytes: Uint8Array, start: number): BitReader {
  let offset = start;
  let held = 0; // the low `available` bits are yet to be read
  let available = 0;
  let missing = 0; // how many of them are made up, behind the end of the data

  const fill = (): void => {
    while (available <= 16) {
      let byte = bytes[offset];
      if (byte === undefined || (byte === 0xff && bytes[offset + 1] !== 0)) {
        byte = 0xff;
        missing += 8;
      } else {
        offset += byte === 0xff ? 2 : 1;
      }
      held = ((held << 8) | byte) & 0xffffff;
      available += 8;
    }
  };
  const drop = (count: number): void => {
    available -= count;
    if (available < missing)
      throw new OperatorError(
        'IMAGE_TRUNCATED',
        'a scan of the JPEG ends before its image data does',
      );
  };

  return {
    take(count) {
      fill();
      const value = (held >> (available - count)) & ((1 << count) - 1);
      drop(count);
      return value;
    },
    takeCode(table) {
      fill();
      const ahead = (held >> (available - 16)) & 0xffff;
      const entry = table[ahead] as number;
      if (entry === 0)
        throw new OperatorError('IMAGE_CORRUPT', 'the JPEG is damaged: bad Huffman code');
      const length = entry >> 8;
      drop(length);
      return (((ahead >> (16 - length)) << 16) | entry) >>> 0;
    },
    restart() {
      // What was read ahead is at most the padding before the marker, where `offset` has come to rest.
      if (
        available - missing >= 8 ||
        bytes[offset] !== 0xff ||
        ((bytes[offset + 1] ?? 0) & 0xf8) !== 0xd0
      )
        throw new OperatorError(
          'IMAGE_CORRUPT',
          'the JPEG is damaged: a restart marker is missing',
        );
      offset += 2;
      held = available = missing = 0;
    },
  };
}

export interface BitWriter {
  /** Appends the low `count` ≤ 16 bits of `value`. */
  put(value: number, count: number): void;
  /** Fills up the last byte with ones, as T.81 F.1.2.3 asks. */
  align(): void;
  /** Appends bytes as they are; only when aligned. */
  bytes(raw: Uint8Array): void;
  finish(): Uint8Array;
}

export function createBitWriter(capacity: number): BitWriter {
  let out = new Uint8Array(capacity);
  let length = 0;
  let held = 0;
  let available = 0;
  const reserve = (count: number): void => {
    if (length + count <= out.length) return;
    const larger = new Uint8Array(Math.max(out.length * 2, length + count));
    larger.set(out);
    out = larger;
  };
  const put = (value: number, count: number): void => {
    held = (held << count) | value;
    available += count;
    while (available >= 8) {
      available -= 8;
      const byte = (held >> available) & 0xff;
      reserve(2);
      out[length++] = byte;
      if (byte === 0xff) out[length++] = 0;
    }
    held &= (1 << available) - 1;
  };
  return {
    put,
    align() {
      if (available > 0) put((1 << (8 - available)) - 1, 8 - available);
    },
    bytes(raw) {
      reserve(raw.length);
      out.set(raw, length);
      length += raw.length;
    },
    finish: () => out.subarray(0, length),
  };
}
