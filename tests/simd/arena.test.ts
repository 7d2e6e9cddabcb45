import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { alignment, placeBlocks } from '../../src/inference/simd/plan/arena.ts';

const lifetime = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(20), more: fc.nat(6) })
  .map(({ bytes, first, more }) => ({
    block: { bytes, offset: -1 },
    first,
    last: first + more,
  }));

test('placeBlocks, never lets blocks overlap that live at the same time', () => {
  fc.assert(
    fc.property(fc.array(lifetime, { maxLength: 30 }), (lives) => {
      const end = placeBlocks(lives, 640);
      for (const [i, a] of lives.entries()) {
        expect(a.block.offset).toBeGreaterThanOrEqual(640);
        expect(a.block.offset % alignment).toBe(0);
        expect(a.block.offset + a.block.bytes).toBeLessThanOrEqual(end);
        for (const b of lives.slice(i + 1)) {
          const together = a.first <= b.last && b.first <= a.last;
          const apart =
            a.block.offset + a.block.bytes <= b.block.offset ||
            b.block.offset + b.block.bytes <= a.block.offset;
          expect(!together || apart).toBe(true);
        }
      }
    }),
  );
});

test('placeBlocks, uses the same place for blocks that follow each other', () => {
  const lives = [0, 2, 4].map((first) => ({
    block: { bytes: 1000, offset: -1 },
    first,
    last: first + 1,
  }));
  expect(placeBlocks(lives, 0)).toBe(1024);
});
