import type { FileSlice } from '../../../model/file-slice.ts';
import { readSlice } from '../../../model/file-slice.ts';
import { blockChannels } from '../common/blocks.ts';
import { stagingOffset } from '../common/plan-float-weights.ts';
import type { FloatWeightLoad } from '../common/steps.ts';
import type { Thread } from '../common/thread.ts';
import type { Fp32Kernels } from './kernels.ts';

/**
 * Reads a piece of the weights from the file into the thread's scratch, the one copy outside their packed form, and packs
 * it from there.
 */
export function loadFloatWeights(
  load: FloatWeightLoad,
  { fd, slice }: { fd: number; slice: FileSlice },
  { kernels, memory, scratch }: Thread<Fp32Kernels>,
): void {
  const { op, channelBytes, inChannels, taps, strideBytes } = load;
  const blockRawBytes = blockChannels * channelBytes;
  const staging = scratch + stagingOffset;
  const raw = new Uint8Array(memory.buffer, staging, load.blocks * blockRawBytes);
  readSlice(fd, slice, load.position, raw.subarray(0, load.bytes));
  // A last block of fewer than 16 channels: those that pad it have weights of zero.
  raw.fill(0, load.bytes);
  for (let block = 0; block < load.blocks; block++) {
    const src = staging + block * blockRawBytes;
    const scale = load.scale + block * blockChannels * 4;
    const dst = load.dst + block * load.blockBytes;
    if (op === 'packGemm')
      kernels.pack_gemm(src, channelBytes, inChannels, taps, scale, dst, strideBytes);
    else
      kernels[op === 'packWinograd2' ? 'pack_winograd2' : 'pack_winograd4'](
        ...[src, channelBytes, inChannels, scale, dst, strideBytes, scratch],
      );
  }
}
