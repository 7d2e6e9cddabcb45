/** Both ends of any plan are in float32: the image as it came, and the normalised vector. */
import type { NormaliseLayer } from '../network/network.ts';
import { cutEvenly } from '../plan/chunks.ts';
import type { FormatPlanner, PlanBuilder } from '../plan/plan-builder.ts';
import { makes } from './blocks.ts';

export const planInput: FormatPlanner['planInput'] = (builder, src, dst, layout) => {
  const rowsPerChunk = cutEvenly(dst.height, 4 * dst.width * dst.channels);
  const chunks = Math.ceil(dst.height / rowsPerChunk);
  const name = 'input';
  builder.step(makes(dst, chunks, { op: 'interleave', name, src, dst, layout, rowsPerChunk }), [
    src,
    dst,
  ]);
};

export function planNormalise(builder: PlanBuilder, { name, input, output }: NormaliseLayer): void {
  const [src, dst] = [builder.tensor(input), builder.tensor(output)];
  builder.step(makes(dst, 1, { op: 'normalise', name, src, dst }), [src, dst]);
}
