/** Gives a buffer's memory back now, not at the next collection; nothing happens to one that has been handed over. */
export function freeBuffer(buffer: ArrayBuffer): void {
  if (!buffer.detached) buffer.transfer(0);
}

/** Below, the allocator has a heap of its own for them, and small pieces are often parts of something else. */
const worthFreeing = 64 * 1024;

/**
 * The same for a piece of a stream that has been read to its end: the next one then goes where this one was, and not where
 * the kernel has to find new pages for it. Nothing happens to one that is a part of something.
 */
export function freePiece({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < worthFreeing || byteLength < buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) freeBuffer(buffer);
}
