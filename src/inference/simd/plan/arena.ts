/** Places blocks that live for a part of the run so that those alive at the same time do not overlap. */
export interface ArenaBlock {
  readonly bytes: number;
  /** Within the context. Known only once every block is: see {@link placeBlocks}. */
  offset: number;
}

/** A block and the steps, first and last, between which its contents matter. */
export interface Lifetime {
  readonly block: ArenaBlock;
  readonly first: number;
  readonly last: number;
}

/** A cache line, so that no two threads write to the same. */
export const alignment = 64;

export const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/**
 * Gives every block its offset: the largest first, each at the lowest place that no block alive at the same time takes.
 * @param start - the lowest offset to give
 * @returns the end of the highest block
 */
export function placeBlocks(lifetimes: readonly Lifetime[], start: number): number {
  const placed: Lifetime[] = [];
  let end = start;
  for (const life of [...lifetimes].sort((a, b) => b.block.bytes - a.block.bytes)) {
    const neighbours = placed
      .filter((other) => other.first <= life.last && life.first <= other.last)
      .sort((a, b) => a.block.offset - b.block.offset);
    let offset = start;
    for (const { block } of neighbours) {
      if (offset + life.block.bytes <= block.offset) break;
      offset = Math.max(offset, aligned(block.offset + block.bytes));
    }
    life.block.offset = offset;
    placed.push(life);
    end = Math.max(end, aligned(offset + life.block.bytes));
  }
  return end;
}
