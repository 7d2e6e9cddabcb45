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
        // As the binders read it: chunk number to rows and blocks.
        const rows = new Map<number, number>();
        for (let chunk = 0; chunk < grid.chunks; chunk++) {
          const group = chunk % grid.blockGroups;
          const row = ((chunk - group) / grid.blockGroups) * grid.rowsPerChunk;
          const block = group * grid.blocksPerChunk;
          const [height, width] = [
            Math.min(grid.rowsPerChunk, product.rows - row),
            Math.min(grid.blocksPerChunk, product.blocks - block),
          ];
          expect(height).toBeGreaterThan(0);
          expect(width).toBeGreaterThan(0);
          rows.set(row, (rows.get(row) ?? 0) + height * width);
        }
        const cells = [...rows.values()].reduce((sum, count) => sum + count, 0);
        expect(cells).toBe(product.rows * product.blocks);
      },
    ),
  );
});
