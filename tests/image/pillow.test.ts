/** What Pillow reads from files that it wrote (make-pillow-files.py), and from others (make-pillow-forms.py). */
import { expect, test } from 'bun:test';
import { resizeBilinear } from '../../src/image/preprocess/bilinear.ts';
import { resizeNearest } from '../../src/image/preprocess/nearest.ts';
import { pattern } from '../support/pictures.ts';
import pillow from './pillow-files.json';
import forms from './pillow-forms.json';
import { decode, expectFailure, rgbOf, sha256 } from './support.ts';

for (const { name, base64, size, sha256: expected } of [...pillow.files, ...forms.files]) {
  const bytes = Buffer.from(base64, 'base64');
  test(`decode, ${name} has Pillow's pixels`, async () => {
    const pixels = await decode(bytes);
    expect([pixels.width, pixels.height]).toEqual(size as [number, number]);
    expect(sha256(rgbOf(pixels))).toBe(expected);
  });

  if (!name.startsWith('frames.'))
    test(`decode, half of ${name} is truncated`, () =>
      expectFailure('IMAGE_TRUNCATED', /ends|shorter|no image|end-of-image/, () =>
        decode(bytes.subarray(0, bytes.length >> 1)),
      ));
}

for (const { filter, source, target, sha256: expected } of pillow.resized) {
  const [width = 0, height = 0] = source;
  const [fullWidth = 0, fullHeight = 0] = target;
  const pixels = { width, height, channels: 3 as const, data: pattern(width, height) };
  const resize = filter === 'nearest' ? resizeNearest : resizeBilinear;
  const whole = { fullWidth, fullHeight, left: 0, top: 0, width: fullWidth, height: fullHeight };

  test(`${resize.name}, ${width}×${height} to ${fullWidth}×${fullHeight} is Pillow's, bit for bit`, () => {
    expect(sha256(rgbOf(resize(pixels, whole)))).toBe(expected);
  });

  test(`${resize.name}, a window of ${width}×${height} to ${fullWidth}×${fullHeight} is that part of the whole`, () => {
    const window = { ...whole, left: 17, top: 31, width: 100, height: 90 };
    const all = rgbOf(resize(pixels, whole));
    const part = rgbOf(resize(pixels, window));
    for (let y = 0; y < window.height; y++) {
      const from = ((window.top + y) * fullWidth + window.left) * 3;
      const row = part.subarray(y * 300, (y + 1) * 300);
      expect(Buffer.from(row).equals(Buffer.from(all.subarray(from, from + 300)))).toBe(true);
    }
  });
}
