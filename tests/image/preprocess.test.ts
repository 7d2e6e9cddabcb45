import { expect, test } from 'bun:test';
import { nearestIndices } from '../../src/image/preprocess/nearest.ts';
import { resizeAndCrop } from '../../src/image/preprocess/resize.ts';
import { toTensor } from '../../src/image/preprocess/to-tensor.ts';
import { chooseWindow } from '../../src/image/preprocess/window.ts';
import { fastest } from '../support/fastest.ts';
import { pattern } from '../support/pictures.ts';
import { kerasRules, rgbOf, torchvisionRules } from './support.ts';

test('nearestIndices, floor((x + 0.5) · width / 224) wherever that is no border between two columns', () => {
  for (let width = 1; width <= 3000; width++) {
    if (width % 64 === 0) continue;
    const indices = nearestIndices(width, 224, 0, 224);
    for (let x = 0; x < 224; x++) expect(indices[x]).toBe(Math.floor(((2 * x + 1) * width) / 448));
  }
});

test('nearestIndices, 640 columns: the sum of the steps falls short of a border where Pillow says so', () => {
  // Image.frombytes('I', (640, 1), array('i', range(640)).tobytes()).resize((224, 1), 0).getdata(), Pillow 9.4.0
  const indices = nearestIndices(640, 224, 0, 224);
  const differs = [...indices].flatMap((index, x) =>
    index === Math.floor(((2 * x + 1) * 640) / 448) ? [] : [x],
  );
  expect(differs).toEqual([
    17, 24, 101, 108, 115, 122, 129, 136, 143, 150, 157, 164, 171, 178, 185, 192, 199, 206, 213,
    220,
  ]);
});

test('nearestIndices, a window far inside begins where adding up every step would', () => {
  // Borders between columns fall on centres where both are powers of two, or nearly.
  const pairs = [
    [640, 224],
    [64, 1 << 17],
    [3, 100_003],
    [1000, 30_000],
    [4097, 65_536],
    [99_991, 7],
    [1, 1 << 16],
  ];
  for (const [source = 0, target = 0] of pairs) {
    const all = nearestIndices(source, target, 0, target);
    for (const first of [1, 2, 3, 100, 4095, 20_000, target - 3].filter((one) => one < target))
      expect(nearestIndices(source, target, first, 3)).toEqual(all.slice(first, first + 3));
  }
});

test('nearestIndices, of a strip one pixel wide the window is found at once', async () => {
  // 1×10^8 with the shorter side enlarged to 256: adding up took 15 s.
  const target = 256 * 1e8;
  expect([...nearestIndices(1e8, target, target / 2, 2)]).toEqual([5e7, 5e7]);
  expect(await fastest(3, () => nearestIndices(1e8, target, target / 2, 224))).toBeLessThan(100);
});

test('chooseWindow, the longer side is cut off to whole pixels and the crop rounds halves to even', () => {
  expect(chooseWindow(500, 333, torchvisionRules)).toEqual({
    fullWidth: 384,
    fullHeight: 256,
    left: 80,
    top: 16,
    width: 224,
    height: 224,
  });
  // 383.7
  expect(chooseWindow(640, 427, torchvisionRules)).toMatchObject({ fullWidth: 383, left: 80 });
  expect(chooseWindow(257, 256, torchvisionRules)).toMatchObject({ fullWidth: 257, left: 16 });
  expect(chooseWindow(259, 256, torchvisionRules)).toMatchObject({ fullWidth: 259, left: 18 });
  expect(chooseWindow(256, 259, torchvisionRules)).toMatchObject({ fullHeight: 259, top: 18 });
});

test('resizeAndCrop, a picture one pixel wide does not become gigabytes', () => {
  const pixels = {
    width: 1,
    height: 65535,
    channels: 1 as const,
    data: new Uint8Array(65535).map((_, i) => i >> 8),
  };
  const started = performance.now();
  const middle = resizeAndCrop(pixels, torchvisionRules);
  expect([middle.width, middle.height]).toEqual([224, 224]);
  expect(new Set(middle.data)).toEqual(new Set([127, 128]).intersection(new Set(middle.data)));
  expect(performance.now() - started).toBeLessThan(2000);
});

for (const rules of [kerasRules, torchvisionRules])
  test(`resizeAndCrop, ${rules.resize.filter}: a fourth sample changes nothing, grey is three equal samples`, () => {
    const rgb = { width: 90, height: 70, channels: 3 as const, data: pattern(90, 70) };
    const rgba = new Uint8Array(90 * 70 * 4).map((_, i) =>
      i % 4 === 3 ? i : (rgb.data[3 * (i >> 2) + (i % 4)] ?? 0),
    );
    const four = resizeAndCrop({ ...rgb, channels: 4, data: rgba }, rules);
    expect(rgbOf(four)).toEqual(rgbOf(resizeAndCrop(rgb, rules)));
    const grey = { width: 90, height: 70, channels: 1 as const, data: rgb.data.subarray(0, 6300) };
    const three = { ...rgb, data: rgbOf(grey) };
    expect(rgbOf(resizeAndCrop(grey, rules))).toEqual(rgbOf(resizeAndCrop(three, rules)));
  });

const twoPixels = {
  width: 2,
  height: 1,
  channels: 3 as const,
  data: new Uint8Array([10, 20, 30, 255, 0, 128]),
};

test('toTensor, the tutorial operator: BGR minus the means, channel by channel', () => {
  const f = Math.fround;
  expect([...toTensor(twoPixels, kerasRules, 'NCHW')]).toEqual([
    f(30 - f(103.939)),
    f(128 - f(103.939)),
    f(20 - f(116.779)),
    f(0 - f(116.779)),
    f(10 - f(123.68)),
    f(255 - f(123.68)),
  ]);
});

test('toTensor, NHWC has the same values in the other order', () => {
  const planes = toTensor(twoPixels, kerasRules, 'NCHW');
  expect([...toTensor(twoPixels, kerasRules, 'NHWC')]).toEqual(
    [0, 2, 4, 1, 3, 5].map((i) => planes[i] ?? 0),
  );
});

test('toTensor, scale, mean and std', () => {
  const tensor = toTensor(twoPixels, torchvisionRules, 'NHWC');
  expect(tensor[0]).toBeCloseTo((10 / 255 - 0.485) / 0.229, 6);
  expect(tensor[5]).toBeCloseTo((128 / 255 - 0.406) / 0.225, 6);
});

test('toTensor, grey goes into every channel', () => {
  const tensor = toTensor(
    { width: 1, height: 1, channels: 1, data: new Uint8Array([50]) },
    { ...kerasRules, mean: [0, 1, 2] },
    'NCHW',
  );
  expect([...tensor]).toEqual([50, 49, 48]);
});
