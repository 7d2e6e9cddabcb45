import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { openSession } from '../../src/inference/onnxruntime/session.ts';
import { openInProcess } from './support/in-process.ts';
import { seeded } from './support/layer-models.ts';
import { randomGraph } from './support/random-graph.ts';

test('simd, agrees with onnxruntime on graphs that nobody has thought of', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e9), async (seed) => {
      const { model, operators } = randomGraph(seed);
      const { slice, manifest } = model;
      const { input, output, height, width } = manifest.graph;
      const image = seeded(3 * height * width, seed, 100);
      const ours = openInProcess(model).run(image);
      const session = await openSession({
        ...{ slice, input, output, shape: [3, height, width], threads: 1 },
        dimension: manifest.dimension,
      });
      const [theirs] = await session.run([image]);
      await session.release();
      const largest = Math.max(...theirs!.map(Math.abs));
      const differences = ours.map((x, i) => Math.abs(x - theirs![i]!));
      const worst = Math.max(...differences);
      expect(worst, operators).toBeLessThanOrEqual(1e-4 * largest);
    }),
    { numRuns: 60, seed: 1 },
  );
}, 180_000);
