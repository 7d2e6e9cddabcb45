/** Lossless WebP (RFC 9649, 3) written bit by bit, for what no encoder makes. */
import { expect, test } from 'bun:test';
import { decode, decoders, expectFailure } from './support.ts';

const side = 1024;

/** A black picture whose blocks of 4×4 pixels use so many groups of Huffman codes, one after the other. */
function writeGroups(groups: number): Buffer {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let i = 0; i < count; i++) bits.push((value >> i) & 1);
  };
  /** A code of 8 bits is read from its upper bit on. */
  const putCode = (code: number): void => {
    for (let i = 7; i >= 0; i--) bits.push((code >> i) & 1);
  };
  /** A Huffman code for the symbol 0 alone. */
  const one = (): void => put(0b0001, 4);
  /** One of 8 bits for each of the symbols 0 to 255, and none for `others` more. */
  const bytes = (others: number): void => {
    put(0, 1);
    put(8, 4);
    for (const length of [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]) put(length, 3); // of 0 and of 8
    put(0, 1);
    for (let i = 0; i < 256 + others; i++) put(i < 256 ? 1 : 0, 1);
  };
  put(side - 1, 14);
  put(side - 1, 14);
  put(0, 1 + 3 + 1); // no alpha, version 0, no transform
  put(1, 1);
  put(11, 4); // a colour cache, which makes the tables larger
  put(1, 1);
  put(0, 3); // groups by blocks of 4×4, given by an image of their own
  put(0, 1);
  bytes(24);
  bytes(0);
  for (let i = 0; i < 3; i++) one();
  for (let i = 0; i < (side / 4) ** 2; i++) {
    putCode((i % groups) & 0xff);
    putCode((i % groups) >> 8);
  }
  for (let i = 0; i < 5 * groups; i++) one();

  const data = Buffer.alloc(8 + Math.ceil(bits.length / 16) * 2);
  for (const [i, bit] of bits.entries())
    data[1 + (i >> 3)] = (data[1 + (i >> 3)] ?? 0) | (bit << (i & 7));
  data[0] = 0x2f;
  const header = Buffer.from('RIFF????WEBPVP8L????', 'latin1');
  header.writeUInt32LE(12 + data.length, 4);
  header.writeUInt32LE(data.length, 16);
  return Buffer.concat([header, data]);
}

test('WebP, as many Huffman codes as libwebp makes at most fit into the memory', async () => {
  const { width, height, data } = await decode(writeGroups(2600));
  expect([width, height, data[0]]).toEqual([side, side, 0]);
});

test('WebP, Huffman codes that would take hundreds of megabytes are refused', async () => {
  const file = writeGroups(65_536);
  expect(file.length).toBeLessThan(300_000);
  await expectFailure('IMAGE_TOO_LARGE', /far more memory than the 17\d{6} bytes/, () =>
    decode(file),
  );
});

test('WebP, every image has an instance of the codec for itself', async () => {
  const real = WebAssembly.Instance;
  let made = 0;
  WebAssembly.Instance = new Proxy(real, {
    construct(target, parts: [WebAssembly.Module, WebAssembly.Imports]) {
      made++;
      return new target(...parts);
    },
  });
  try {
    const file = writeGroups(1);
    await decoders.WebP.decode(file);
    made = 0;
    for (let i = 0; i < 3; i++) await decoders.WebP.decode(file);
    expect(made).toBe(3);
  } finally {
    WebAssembly.Instance = real;
  }
});
