import { expect, test } from 'bun:test';
import type { NodeProto } from '../../src/gen/onnx/onnx_pb.ts';
import { openInProcess } from './support/in-process.ts';
import { float32Tensor, graphOf, modelBytes, node, writeModel } from './support/models.ts';

const side = 14;
const size = { height: side, width: side };
const channels = 16;
/** Weights of so much that two channels of the image that are not 0 overflow, one to each side: their sum is no number. */
const weights = new Float32Array(3 * channels);
for (let channel = 0; channel < channels; channel++) weights.set([3e38, -3e38, 1], 3 * channel);

/** image → 1×1 convolution `before`, in which pixel `at` alone is no number → `nodes`, which make `features`. */
function run(nodes: NodeProto[], at: number): Float32Array {
  const graph = graphOf(size, {
    node: [node('Conv', ['input', 'w'], 'before'), ...nodes],
    initializer: [
      float32Tensor('w', [channels, 3, 1, 1], weights),
      float32Tensor('square', [channels, channels, 3, 3], new Float32Array(9 * channels ** 2)),
    ],
  });
  const image = new Float32Array(3 * side * side);
  // Where everything is less than 0 as well as where it is more, so that each order of comparing comes up.
  for (let i = 0; i < side * side; i++) image[2 * side * side + i] = i % 2 === 0 ? 5 : -5;
  image[at] = 2;
  image[side * side + at] = 2;
  return openInProcess(writeModel(modelBytes(graph), size, channels)).run(image);
}

const pooled = (input: string) => node('GlobalAveragePool', [input], 'features');
const pad = { pads: [1, 1, 1, 1] };
const ways: Record<string, NodeProto[]> = {
  'a global average pool': [pooled('before')],
  'a max pool': [
    node('MaxPool', ['before'], 'x', { kernel_shape: [3, 3], strides: [2, 2], ...pad }),
    pooled('x'),
  ],
  'a ReLU': [node('Relu', ['before'], 'x'), pooled('x')],
  'a ReLU by itself': [
    node('Relu', ['before'], 'x'),
    node('Add', ['before', 'x'], 'y'),
    node('Relu', ['y'], 'z'),
    pooled('z'),
  ],
  "Winograd's tiles of 4×4": [
    node('Conv', ['before', 'square'], 'x', { kernel_shape: [3, 3], ...pad }),
    node('Relu', ['x'], 'y'),
    pooled('y'),
  ],
  "Winograd's tiles of 2×2": [
    node('MaxPool', ['before'], 'm', { kernel_shape: [2, 2], strides: [2, 2] }),
    node('Conv', ['m', 'square'], 'x', { kernel_shape: [3, 3], ...pad }),
    pooled('x'),
  ],
  'a convolution of stride 2': [
    node('Conv', ['before', 'square'], 'x', { kernel_shape: [3, 3], strides: [2, 2], ...pad }),
    pooled('x'),
  ],
  normalising: [
    node('GlobalAveragePool', ['before'], 'x'),
    node('LpNormalization', ['x'], 'features', { axis: 1, p: 2 }),
  ],
};
for (const [what, nodes] of Object.entries(ways))
  test(`a pixel that overflows, is not made a number by ${what}`, () => {
    // A corner, an edge, and all places in a window.
    for (const at of [0, 5, 6 * side + 5, 6 * side + 6, 7 * side + 5, 7 * side + 6, side ** 2 - 1])
      expect(run(nodes, at).every(Number.isNaN)).toBe(true);
  });
