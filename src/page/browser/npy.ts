/**
 * The `.npy` format, version 1.0: magic, version, header length (uint16, little-endian), a Python dictionary padded with
 * spaces so that the data starts at a multiple of 64, a newline, then the values.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

/**
 * The vectors as one little-endian float32 array, `[vectors, dimension]` in C order.
 * @throws RangeError when they are not all of one length
 */
export function npyFile(vectors: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const dimension = vectors[0]?.length ?? 0;
  if (vectors.some((vector) => vector.length !== dimension))
    throw new RangeError('the vectors differ in length');
  const fixed = 10; // magic 6, version 2, header length 2
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vectors.length}, ${dimension}), }`;
  const dataAt = Math.ceil((fixed + dictionary.length + 1) / 64) * 64;
  const header = `${dictionary.padEnd(dataAt - fixed - 1)}\n`;

  const file = new Uint8Array(dataAt + vectors.length * dimension * 4);
  const view = new DataView(file.buffer);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]); // \x93NUMPY, 1.0
  view.setUint16(8, header.length, true);
  file.set(new TextEncoder().encode(header), fixed);
  let at = dataAt;
  for (const vector of vectors)
    for (const value of vector) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return file;
}
