/** Gives a buffer's memory back now, not at the next collection; nothing happens to one that has been handed over. */
export function freeBuffer(buffer: ArrayBuffer): void {
  if (!buffer.detached) buffer.transfer(0);
}
