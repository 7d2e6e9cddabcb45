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
