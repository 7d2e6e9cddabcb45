/**
 * How a matrix product is cut into chunks for the threads: ranges of rows (pixels) times ranges of blocks (of 16 output
 * channels). A chunk's rows should stay in the second-level cache while its blocks go over them, and there should be
 * enough chunks for the threads to finish together, yet none so small that taking it costs as much as doing it.
 */
export interface Grid {
  readonly rowsPerChunk: number;
  readonly blocksPerChunk: number;
  readonly blockGroups: number;
  readonly chunks: number;
}

export interface GridOptions {
  /** A multiple of `rowStep`. */
  readonly rows: number;
  /** Rows are taken in multiples of this. */
  readonly rowStep: number;
  readonly blocks: number;
  /**
   * Blocks are taken in multiples of this: those of a pixel that lie on one line of the cache, which two threads would take
   * from each other with every store.
   */
  readonly blockStep: number;
  /** Bytes that a row reads. */
  readonly rowBytes: number;
  /** Multiplications of one row with one block. */
  readonly work: number;
}

/** Half of a common second-level cache (512 kB on AMD's Zen 3, 1 to 2 MB on later ones). */
const cacheBytes = 256 << 10;
/** About 15 µs at 20 multiplications a nanosecond: some hundred times what taking a chunk costs. */
const leastWork = 300_000;
/** Chunks per product to aim at: with two threads, the last one leaves a thread idle for 1/64 of the time on average. */
const wantedChunks = 32;

export function cutProduct(options: GridOptions): Grid {
  const { rows, rowStep, blocks, blockStep, rowBytes, work } = options;
  const lines = Math.ceil(blocks / blockStep);
  const chunks = wanted(rows * blocks * work);
  const cachedRows = Math.max(rowStep, cacheBytes / rowBytes);
  const groups = Math.min(lines, Math.ceil(chunks / Math.ceil(rows / cachedRows)));
  const blocksPerChunk = Math.ceil(lines / groups) * blockStep;
  const blockGroups = Math.ceil(blocks / blocksPerChunk);
  const rowChunks = Math.max(Math.ceil(rows / cachedRows), Math.ceil(chunks / blockGroups));
  const rowsPerChunk = Math.ceil(rows / rowChunks / rowStep) * rowStep;
  return {
    rowsPerChunk,
    blocksPerChunk,
    blockGroups,
    chunks: Math.ceil(rows / rowsPerChunk) * blockGroups,
  };
}

/**
 * Cuts `count` pieces of equal `work` into chunks: how many pieces go together.
 * @param times - how many such rows of pieces there are, which are chunks of their own anyway
 */
export function cutEvenly(count: number, work: number, times = 1): number {
  const chunks = Math.max(1, Math.floor(wanted(times * count * work) / times));
  return Math.ceil(count / Math.min(count, chunks));
}

const wanted = (work: number): number =>
  Math.min(wantedChunks, Math.max(1, Math.floor(work / leastWork)));
