/** Below so many bytes a loop is cheaper than a typed array made for the copy, and leaves no garbage. */
const short = 64;

/**
 * Copies what of `from[start]` to `from[end - 1]` is there to `to[at]` and behind. For files in pieces: there may be millions
 * of a byte each.
 * @returns how many bytes
 */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): number {
  const length = Math.max(0, Math.min(end, from.length) - start);
  if (length > short) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
  return length;
}
