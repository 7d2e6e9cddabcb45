/** How a matrix product is cut: everything once, and no line of the cache written by two chunks at once. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { cutProduct } from '../../src/inference/simd/plan/chunks.ts';

test('cutProduct, covers all rows and blocks, and keeps the blocks of a line together', () => {
  fc.assert(
    fc.property(
      fc.record({
        rows: fc.integer({ min: 1, max: 6272 }).map((pairs) => 2 * pairs),
        blocks: fc.integer({ min: 1, max: 128 }),
        blockStep: fc.constantFrom(1, 4),
        rowBytes: fc.integer({ min: 16, max: 8192 }),
        work: fc.integer({ min: 100, max: 100_000 }),
      }),
      ({ blockStep, ...product }) => {
        const grid = cutProduct({ ...product, blockStep, rowStep: 2 });
        expect(grid.rowsPerChunk % 2).toBe(0);
        expect(grid.blocksPerChunk % blockStep).toBe(0);
        const groups = Math.ceil(product.blocks / grid.blocksPerChunk);
        expect(grid.blockGroups).toBe(groups);
        expect(grid.chunks).toBe(Math.ceil(product.rows / grid.rowsPerChunk) * groups);
      },
    ),
  );
});
