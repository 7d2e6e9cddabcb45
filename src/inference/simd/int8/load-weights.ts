/** A piece of 8-bit weights from the file to the form that the kernels read. */
import type { FileSlice } from '../../../model/file-slice.ts';
import { readSlice } from '../../../model/file-slice.ts';
import { blockChannels } from '../common/blocks.ts';
import type { Thread } from '../common/thread.ts';
import type { Int8Kernels } from './kernels.ts';
import { scratchOf, winogradFactorBytes } from './plan-gemm.ts';
import type { Int8WeightLoad } from './steps.ts';
import { planes } from './winograd-tiles.ts';

export function loadInt8Weights(
  load: Int8WeightLoad,
  { fd, slice }: { fd: number; slice: FileSlice },
  thread: Thread<Int8Kernels>,
): void {
  const { kernels, memory, scratch } = thread;
  const { op, channelBytes, inChannels, taps, strideBytes, blockBytes } = load;
  const blockRawBytes = blockChannels * channelBytes;
  const staging = scratch + (op === 'packInt8' ? 0 : scratchOf(load.depth).staging);
  const raw = new Uint8Array(memory.buffer, staging, load.blocks * blockRawBytes);
  readSlice(fd, slice, load.position, raw.subarray(0, load.bytes));
  // A last block of fewer than 16 channels: those that pad it have weights of zero.
  raw.fill(0, load.bytes);
  for (let block = 0; block < load.blocks; block++) {
    const src = staging + block * blockRawBytes;
    const dst = load.dst + block * blockBytes;
    if (op === 'packInt8') {
      kernels.pack_int8(src, channelBytes, inChannels, taps, dst, strideBytes);
      kernels.check_int8(dst, blockBytes, load.overflow);
    } else packWinograd(load, block, src, dst, thread);
  }
}

/** Sum of the positive and of the negative coefficients in each row of Bᵀ, without their signs. */
const coefficients = [
  [5, 5],
  [2, 8],
  [5, 5],
  [3, 3],
  [3, 3],
  [5, 5],
] as const;

/** The largest size of a transformed input of each plane, for inputs 0..127. */
const largestInputs: readonly number[] = Array.from({ length: planes }, (_, plane) => {
  const [p, n] = coefficients[Math.floor(plane / 6)]!;
  const [q, m] = coefficients[plane % 6]!;
  return 127 * Math.max(p * q + n * m, p * m + n * q);
});

/**
 * The least power of two to divide a channel's weights of a plane by, so that they fit into 16 bits and no sum of products
 * can leave 32 bits. Rounding adds up to a half to each of `count` weights.
 */
export function shiftFor(plane: number, sum: number, largest: number, count: number): number {
  const mostSum = Math.floor((2 ** 31 - 1) / largestInputs[plane]!);
  let shift = 0;
  while (sum / 2 ** shift + count / 2 > mostSum || largest / 2 ** shift + 0.5 > 32767) shift++;
  return shift;
}

function packWinograd(
  load: Int8WeightLoad,
  block: number,
  src: number,
  dst: number,
  { kernels, memory, scratch }: Thread<Int8Kernels>,
): void {
  const { depth, inChannels, channelBytes, strideBytes } = load;
  const { measured, powers, expanded, planeBytes } = scratchOf(depth);
  const at = (offset: number): number => scratch + offset;
  // Input channels that only pad have weights of zero.
  if (depth > inChannels)
    for (let plane = 0; plane < planes; plane++)
      kernels.fill(at(expanded) + plane * planeBytes, planeBytes, 0, 1, 0);
  kernels.expand_winograd(src, channelBytes, inChannels, at(expanded), planeBytes, scratch);
  const sizes = new Int32Array(memory.buffer, at(measured), 2 * blockChannels);
  const divisors = new Float32Array(memory.buffer, at(powers), blockChannels);
  const first = block * blockChannels;
  const scales = new Float32Array(memory.buffer, load.weightScales + first * 4, blockChannels);
  const factors = new Float32Array(
    memory.buffer,
    load.factors + block * winogradFactorBytes,
    planes * blockChannels,
  );
  for (let plane = 0; plane < planes; plane++) {
    const values = at(expanded) + plane * planeBytes;
    kernels.measure_plane(values, depth, at(measured));
    for (let channel = 0; channel < blockChannels; channel++) {
      const [sum, largest] = [sizes[channel]!, sizes[channel + blockChannels]!];
      const power = 2 ** shiftFor(plane, sum, largest, depth);
      divisors[channel] = 1 / power;
      const lane = channel % 4;
      factors[(channel - lane) * planes + plane * 4 + lane] = scales[channel]! * power;
    }
    kernels.round_plane(values, depth, at(powers), dst + plane * strideBytes);
  }
}
