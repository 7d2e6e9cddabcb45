import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { readGraph } from '../../model/quantize/graph.ts';
import { measureActivations } from '../../model/quantize/measure-activations.ts';
import { planQuantisation } from '../../model/quantize/plan.ts';
import { modelAround, seeded } from '../simd/support/layer-models.ts';
import { float32Tensor, node } from '../simd/support/models.ts';

test('measuring activations, of a pool that leaves out the window beyond its map', async () => {
  const channels = 4;
  const pool = { kernel_shape: [1, 1], strides: [2, 2], ceil_mode: 1 };
  const { slice, manifest } = modelAround(
    { channels, height: 6, width: 8, seed: 1 },
    [
      ...[node('Relu', ['before'], 'positive'), node('MaxPool', ['positive'], 'pool', pool)],
      ...[node('Conv', ['pool', 'w'], 'conv'), node('Relu', ['conv'], 'tested')],
    ],
    [float32Tensor('w', [channels, channels, 1, 1], seeded(channels ** 2, 2))],
    channels,
  );
  const graph = readGraph(new Uint8Array(readFileSync(slice.path)), slice.path);
  const plan = planQuantisation(graph);
  const images = [seeded(3 * 48, 3)];
  const signal = new AbortController().signal;
  const measured = { images, signal, progress: () => {} };
  const statistics = await measureActivations({ graph, manifest, slice }, plan, measured);
  const { counts, zeros } = statistics.get('pool')!.histogram;
  expect(counts.reduce((sum, count) => sum + count, zeros)).toBe(channels * 3 * 4);
});
