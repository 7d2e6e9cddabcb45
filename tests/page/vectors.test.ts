/** The page's arithmetic and files, without a browser. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { figuresOf, formatValue } from '../../src/page/browser/figures.ts';
import { npyFile } from '../../src/page/browser/npy.ts';
import { stemOf, vectorAsJson, vectorsAsJson } from '../../src/page/browser/save.ts';
import { createSimilarity, distanceOf } from '../../src/page/browser/similarity.ts';
import { cellOf, dimensionAt } from '../../src/page/browser/strip.ts';
import { formatMs, parseServerTiming, stagesOf } from '../../src/page/browser/timings.ts';
import { testUnless } from '../support/data.ts';

const python = ['/usr/bin/python3', 'python3']
  .filter((path) => Bun.which(path))
  .find((path) => Bun.spawnSync([path, '-c', 'import numpy']).success);

testUnless(
  python ? undefined : 'no python3 has numpy (Debian: python3-numpy)',
  'npyFile, numpy reads the same values',
  () => {
    const vectors = [Float32Array.of(0.5, -1.25, 3e-40), Float32Array.of(0.1, 0, 3.4e38)];
    const code = `import io, json, sys, numpy
a = numpy.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
print(json.dumps([list(a.shape), str(a.dtype), a.flags.c_contiguous, a.view(numpy.uint32).flatten().tolist()]))`;
    const run = Bun.spawnSync([python ?? '', '-c', code], { stdin: npyFile(vectors) });
    const bits = new Uint32Array(Float32Array.from(vectors.flatMap((v) => [...v])).buffer);
    expect(JSON.parse(run.stdout.toString())).toEqual([[2, 3], 'float32', true, [...bits]]);
  },
);

test('npyFile, data begins at a multiple of 64 behind a header that ends its line', () => {
  for (const [count, dimension] of [
    [1, 2048],
    [1000, 2],
    [123_456, 1],
  ] as const) {
    const file = npyFile(Array.from({ length: count }, () => new Float32Array(dimension)));
    const headerLength = new DataView(file.buffer).getUint16(8, true);
    expect((10 + headerLength) % 64).toBe(0);
    expect(file[10 + headerLength - 1]).toBe(0x0a);
    expect(file.length).toBe(10 + headerLength + count * dimension * 4);
    const header = new TextDecoder().decode(file.subarray(10, 10 + headerLength));
    expect(header).toContain(`'shape': (${count}, ${dimension})`);
  }
});

test('npyFile, vectors of different lengths are refused', () => {
  expect(() => npyFile([new Float32Array(2), new Float32Array(3)])).toThrow(RangeError);
});

test('vectorAsJson, every float32 reads back the same', () => {
  fc.assert(
    fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true }), (vector) => {
      const back = Float32Array.from(JSON.parse(vectorAsJson(vector)) as number[]);
      // JSON has no negative zero.
      expect([...back].map((value) => value + 0)).toEqual([...vector].map((value) => value + 0));
    }),
  );
});

test('vectorsAsJson, says what the vectors are of', () => {
  const origin = { operator: 'resnet50_encoder', modelId: 'm', metricType: 'L2' };
  const json = vectorsAsJson([{ name: 'a.png', vector: Float32Array.of(0.5, 0.25) }], origin);
  expect(JSON.parse(json)).toEqual({
    ...origin,
    dimension: 2,
    vectors: [{ name: 'a.png', vector: [0.5, 0.25] }],
  });
});

test('stemOf, drops the ending and nothing else', () => {
  expect(['a.png', 'b.c.jpeg', 'README', '.png', 'v1.2 final'].map(stemOf)).toEqual([
    'a',
    'b.c',
    'README',
    'vector',
    'v1.2 final',
  ]);
});

test('figuresOf, norm, range and share of zeros', () => {
  expect(figuresOf(Float32Array.of(3, 0, -4, 0))).toEqual({
    norm: 5,
    min: -4,
    max: 3,
    sparsity: 0.5,
  });
  expect([0, 1, 0.01234, 1e-7, -2e9].map(formatValue)).toEqual([
    '0',
    '1.0000',
    '0.0123',
    '1.00e-7',
    '-2.00e+9',
  ]);
});

test('createSimilarity, cosines whatever the lengths, nearest first, ties by age', () => {
  const similarity = createSimilarity();
  similarity.add(1, Float32Array.of(2, 0));
  similarity.add(2, Float32Array.of(0, 5));
  similarity.add(3, Float32Array.of(1, 1));
  similarity.add(4, Float32Array.of(3, 0));
  expect(similarity.cosine(1, 2)).toBe(0);
  expect(similarity.cosine(2, 3)).toBeCloseTo(Math.SQRT1_2, 6);
  expect(similarity.cosine(3, 2)).toBe(similarity.cosine(2, 3));
  expect(similarity.neighbours(1).map(({ id }) => id)).toEqual([4, 3, 2]);
  expect(similarity.neighbours(3).map(({ id }) => id)).toEqual([1, 2, 4]);
  similarity.remove(4);
  expect(similarity.neighbours(1).map(({ id }) => id)).toEqual([3, 2]);
  expect(similarity.cosine(1, 4)).toBeUndefined();
});

test('createSimilarity, a vector of zeros is like nothing', () => {
  const similarity = createSimilarity();
  similarity.add(1, new Float32Array(2));
  similarity.add(2, Float32Array.of(1, 0));
  expect([similarity.cosine(1, 1), similarity.cosine(1, 2)]).toEqual([0, 0]);
});

test('distanceOf, the Euclidean distance of unit vectors', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: Math.PI, noNaN: true }), (angle) => {
      const direct = Math.hypot(1 - Math.cos(angle), Math.sin(angle));
      expect(distanceOf(Math.cos(angle))).toBeCloseTo(direct, 7);
    }),
  );
});

test('dimensionAt, finds the cell that cellOf marks', () => {
  const box = { width: 640, height: 88 };
  for (const dimension of [1, 100, 128, 129, 1000, 2048])
    for (const at of new Set([0, dimension >> 1, dimension - 1])) {
      const { left, top } = cellOf(at, dimension);
      const x = (left / 100) * box.width;
      const y = (top / 100) * box.height;
      expect(dimensionAt(x, y, box, dimension)).toBe(at);
    }
});

test('dimensionAt, points outside give the nearest dimension there is', () => {
  const box = { width: 100, height: 10 };
  expect(dimensionAt(-5, -5, box, 2048)).toBe(0);
  expect(dimensionAt(500, 500, box, 2048)).toBe(2047);
  expect(dimensionAt(99, 9, box, 130)).toBe(129);
});

test('parseServerTiming, names with durations in order', () => {
  expect(
    parseServerTiming('source;dur=0.4, decode;desc="to pixels";dur=12.5, cache, infer;dur="90"'),
  ).toEqual([
    { name: 'source', ms: 0.4 },
    { name: 'decode', ms: 12.5 },
    { name: 'infer', ms: 90 },
  ]);
  expect(parseServerTiming(null)).toEqual([]);
});

test('stagesOf, what the operator does not account for is the network', () => {
  expect(stagesOf('decode;dur=20, infer;dur=70', 100).at(-1)).toEqual({ name: 'network', ms: 10 });
  expect(stagesOf('infer;dur=70', 60).at(-1)).toEqual({ name: 'network', ms: 0 });
  expect([0.44, 9.96, 12.4, 1234].map(formatMs)).toEqual(['0.4 ms', '10.0 ms', '12 ms', '1.23 s']);
});
