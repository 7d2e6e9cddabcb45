/** TIFF files entry by entry, to say what no writer would. Little-endian. */

export type TiffEntry = readonly [type: 1 | 3 | 4, count: number, value: number];

/** Where `body` lies in the file. */
export const bodyStart = 400;

/** @param entries - by tag; on top of those of a grey image of 8 bits, 4×1, uncompressed, whose pixels are the body */
export function writeTiff(entries: Readonly<Record<number, TiffEntry>>, body: Uint8Array): Buffer {
  const all: Record<number, TiffEntry> = {
    256: [3, 1, 4],
    257: [3, 1, 1],
    258: [3, 1, 8],
    259: [3, 1, 1],
    262: [3, 1, 1],
    273: [4, 1, bodyStart],
    277: [3, 1, 1],
    279: [4, 1, body.length],
    ...entries,
  };
  const file = Buffer.alloc(bodyStart + body.length);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(Object.keys(all).length, 8);
  for (const [i, [tag, [type, count, value]]] of Object.entries(all).entries()) {
    const at = 10 + 12 * i;
    file.writeUInt16LE(Number(tag), at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  file.set(body, bodyStart);
  return file;
}

/** TIFF's LZW: codes from 9 bits on, one bit longer before the last code of a length, cleared in time. */
export function packLzw(data: Uint8Array): Uint8Array {
  const bits: number[] = [];
  let size = 9;
  let codes = new Map<string, number>();
  const put = (code: number): void => {
    for (let bit = size - 1; bit >= 0; bit--) bits.push((code >> bit) & 1);
  };
  const clear = (): void => {
    put(256);
    size = 9;
    codes = new Map(Array.from({ length: 256 }, (_, i) => [String.fromCharCode(i), i]));
  };
  clear();
  let piece = '';
  for (const byte of data) {
    const longer = piece + String.fromCharCode(byte);
    if (codes.has(longer)) {
      piece = longer;
      continue;
    }
    put(codes.get(piece) ?? 0);
    // 256 and 257 have meanings of their own.
    const next = codes.size + 2;
    codes.set(longer, next);
    if (next === 4094) clear();
    else if ([511, 1023, 2047].includes(next)) size += 1;
    piece = String.fromCharCode(byte);
  }
  put(codes.get(piece) ?? 0);
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) + 2 }, (_, i) =>
    bits.slice(8 * i, 8 * i + 8).reduce((sum, bit, at) => sum | (bit << (7 - at)), 0),
  );
}
