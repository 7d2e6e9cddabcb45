import { readFileSync } from 'node:fs';

/** How a zstd frame begins (RFC 8878, 3.1.1). */
const zstdMagic = 0xfd2fb528;

/** Reads a file that the build may have embedded compressed; from the sources, files are as they are. */
export function readPacked(path: string): Uint8Array {
  const bytes = readFileSync(path);
  const packed = bytes.length > 4 && bytes.readUInt32LE(0) === zstdMagic;
  return packed ? Bun.zstdDecompressSync(bytes) : bytes;
}
