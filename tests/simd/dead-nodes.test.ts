import { expect, test } from 'bun:test';
import type { NodeProto } from '../../src/gen/onnx/onnx_pb.ts';
import { openInProcess } from './support/in-process.ts';
import { seeded } from './support/layer-models.ts';
import {
  float32Tensor,
  float32Value,
  graphOf,
  modelBytes,
  node,
  writeModel,
} from './support/models.ts';

const inputSize = { height: 8, width: 8 };
const image = seeded(3 * 64, 7, 100);

/** image → convolution `c` → ReLU `r` → global average pool `features`, and other nodes. */
function withOthers(others: readonly NodeProto[], outputs: readonly string[] = []) {
  const graph = graphOf(inputSize, {
    node: [
      node('Conv', ['input', 'w'], 'c'),
      node('Relu', ['c'], 'r'),
      node('GlobalAveragePool', ['r'], 'features'),
      ...others,
    ],
    initializer: [
      float32Tensor('w', [16, 3, 3, 3], seeded(432, 1)),
      float32Tensor('more', [16, 16, 3, 3], seeded(2304, 2)),
    ],
  });
  graph.output = ['features', ...outputs].map((name) => float32Value(name, ['N', 16, 'H', 'W']));
  return openInProcess(writeModel(modelBytes(graph), inputSize, 16));
}
const alone = withOthers([]);
const expected = alone.run(image);
const padded = (input: string) =>
  node('Conv', [input, 'more'], 'more_out', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });

const others: Record<string, NodeProto[]> = {
  'a padded convolution of the output': [padded('features')],
  'a padded convolution of what is fused': [padded('c')],
  'an operator that is not known here': [node('Sigmoid', ['c'], 'more_out')],
};
for (const [what, nodes] of Object.entries(others))
  for (const outputs of [[], ['more_out']])
    test(`simd, leaves out ${what}, ${outputs.length === 0 ? 'which nobody reads' : 'another output of the graph'}`, () => {
      const { plan, run } = withOthers(nodes, outputs);
      expect(run(image)).toEqual(expected);
      expect(plan.steps).toEqual(alone.plan.steps);
    });
