/** The parts of a Winograd convolution → calls of the kernels. */
import { pixelBytes, rowBytes } from '../plan/tensor.ts';
import { floorOf, type RunChunk, type Thread } from './bind.ts';
import { transformScratch } from './plan-winograd.ts';
import type {
  Winograd,
  WinogradInputStep,
  WinogradOutputStep,
  WinogradPlanes,
  WinogradProductStep,
  WinogradStep,
} from './steps.ts';

/** Bytes of a tile's entry in the table of `winograd_output`. */
const outEntryBytes = 16;
const planeCount = 36;

/** The three parts on `count` tiles from tile `first`; addresses of plane 0 are those of tile `first`. */
interface Parts {
  transform(context: number, first: number, count: number, transformed: number): void;
  multiply(
    plane: number,
    count: number,
    block: number,
    blocks: number,
    transformed: number,
    products: number,
  ): void;
  transformBack(context: number, first: number, count: number, products: number): void;
}

function bindParts(
  w: Winograd,
  { inputBytes, productBytes }: WinogradPlanes,
  thread: Thread,
): Parts {
  const { kernels, scratch } = thread;
  const { src, dst, residual } = w;
  const [srcPixel, dstPixel] = [pixelBytes(src), pixelBytes(dst)];
  const output = residual ? kernels.winograd_output_residual : kernels.winograd_output;
  const floor = floorOf(w.relu);
  return {
    transform(context, first, count, transformed) {
      kernels.winograd_input(
        context + src.offset,
        w.srcTable + first * 4,
        count,
        srcPixel,
        rowBytes(src),
        transformed,
        inputBytes,
        scratch,
      );
    },
    multiply(plane, count, block, blocks, transformed, products) {
      kernels.gemm4(
        transformed + plane * inputBytes,
        w.inRows,
        count,
        w.weights + plane * w.weightPlaneBytes + block * w.blockBytes,
        blocks,
        1,
        srcPixel,
        srcPixel,
        w.zeros,
        products + plane * productBytes + block * 64,
        w.outRows,
        0,
        0,
        floorOf(false),
      );
    },
    transformBack(context, first, count, products) {
      output(
        products,
        productBytes,
        count,
        dstPixel,
        w.bias,
        floor,
        context + dst.offset,
        rowBytes(dst),
        residual ? context + residual.offset : 0,
        residual ? rowBytes(residual) : 0,
        w.dstTable + first * outEntryBytes,
        scratch,
      );
    },
  };
}

export function bindWinograd(
  step: WinogradStep | WinogradInputStep | WinogradProductStep | WinogradOutputStep,
  thread: Thread,
): RunChunk {
  const { winograd: w, planes } = step;
  const parts = bindParts(w, planes, thread);
  const tilesFrom = (first: number, perChunk: number): number =>
    Math.min(perChunk, w.tiles - first);
  switch (step.op) {
    case 'winograd': {
      const transformed = thread.scratch + transformScratch;
      const products = transformed + planeCount * planes.inputBytes;
      return (context, chunk) => {
        const first = chunk * step.tilesPerChunk;
        const count = tilesFrom(first, step.tilesPerChunk);
        parts.transform(context, first, count, transformed);
        for (let plane = 0; plane < planeCount; plane++)
          parts.multiply(plane, count, 0, w.blocks, transformed, products);
        parts.transformBack(context, first, count, products);
      };
    }
    case 'winogradInput':
      return (context, chunk) => {
        const first = chunk * step.tilesPerChunk;
        const transformed = context + step.transformed.offset + first * pixelBytes(w.src);
        parts.transform(context, first, tilesFrom(first, step.tilesPerChunk), transformed);
      };
    case 'winogradProduct':
      return (context, chunk) => {
        const plane = chunk % planeCount;
        const block = ((chunk - plane) / planeCount) * step.blocksPerChunk;
        const blocks = Math.min(step.blocksPerChunk, w.blocks - block);
        const transformed = context + step.transformed.offset;
        const products = context + step.products.offset;
        parts.multiply(plane, w.tiles, block, blocks, transformed, products);
      };
    case 'winogradOutput':
      return (context, chunk) => {
        const first = chunk * step.tilesPerChunk;
        const products = context + step.products.offset + first * pixelBytes(w.dst);
        parts.transformBack(context, first, tilesFrom(first, step.tilesPerChunk), products);
      };
  }
}
