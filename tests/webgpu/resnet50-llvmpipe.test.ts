/** A whole ResNet50 through the executable on llvmpipe, in both precisions. It compiles each of them for half a minute. */
import { describe, expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosine } from '../../src/inference/cosine.ts';
import { data, testUnless } from '../support/data.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';
import { llvmpipe } from './support/drivers.ts';
import { withHalf } from './support/half-model.ts';
import { execute, pictures, readyLine, start } from './support/operator.ts';

const weights = existsSync(weightsOf.keras) ? 'keras' : 'untrained';
const real = existsSync(data.photos);

/** Two photographs where there are some, as base64. */
const images = real
  ? readdirSync(data.photos)
      .slice(0, 2)
      .map((name) => readFileSync(join(data.photos, name)).toString('base64'))
  : pictures(2);

const onGpu = (model: string, precision: string, maxBatch: number) =>
  start({
    model,
    args: [
      ...['--precision', precision, '--max-batch', `${maxBatch}`],
      ...['--device', 'webgpu', '--allow-software-gpu'],
    ],
    env: llvmpipe.env,
    patienceMs: 400_000,
  });

describe('ResNet50 on llvmpipe', () => {
  testUnless(
    llvmpipe.missing,
    `vectors of ${real ? 'photographs' : 'made pictures'}, fp32 gives those of WASM, fp16 close ones, in batches as alone (${weights} weights)`,
    async () => {
      const model = await withHalf(await preparedTestModel(weights));
      const cpuArgs = ['--device', 'wasm', '--engine', 'onnxruntime', '--precision', 'fp32'];
      // Side by side: a network is compiled on one core.
      const operators = await Promise.all([
        start({ model, args: cpuArgs }),
        onGpu(model, 'fp32', 1),
        onGpu(model, 'fp16', 2),
      ]);
      await using cpu = operators[0];
      await using full = operators[1];
      await using half = operators[2];
      for (const [operator, precision] of [[full, 'fp32'] as const, [half, 'fp16'] as const]) {
        expect(readyLine(operator)).toMatchObject({ device: 'webgpu', precision });
        expect(readyLine(operator).adapter).toMatch(/llvmpipe/);
      }

      const reference = await execute(cpu, images);
      const [inFull] = await execute(full, [images[0]!]);
      expect(inFull?.length).toBe(2048);
      expect(cosine(inFull!, reference[0]!)).toBeGreaterThanOrEqual(0.9999999);

      const [first, second] = await execute(half, images);
      const [alone] = await execute(half, [images[0]!]);
      expect(cosine(first!, reference[0]!)).toBeGreaterThanOrEqual(0.99999);
      expect(cosine(second!, reference[1]!)).toBeGreaterThanOrEqual(0.99999);
      expect(cosine(alone!, first!)).toBeGreaterThanOrEqual(0.9999999);
      // Further off than two ways of float32: it was half precision that computed this.
      expect(cosine(first!, reference[0]!)).toBeLessThan(1 - 1e-7);
      // Different pictures: agreeing vectors mean something.
      expect(cosine(first!, second!)).toBeLessThan(0.999);
    },
    600_000,
  );
});
