/** A whole ResNet50 through the executable on SwiftShader: half a minute and more for a single image, so there is one. */
import { describe, expect } from 'bun:test';
import { existsSync } from 'node:fs';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';
import { swiftshader } from './support/drivers.ts';
import { execute, pictures, readyLine, start } from './support/operator.ts';

const weights = existsSync(weightsOf.keras) ? 'keras' : 'untrained';

describe('ResNet50 on SwiftShader', () => {
  testUnless(
    swiftshader.missing,
    `vector, is that of WASM (${weights} weights)`,
    async () => {
      const model = await preparedTestModel(weights);
      const image = pictures(1);
      await using cpu = await start({
        model,
        args: ['--device', 'wasm', '--engine', 'onnxruntime'],
      });
      const [reference] = await execute(cpu, image);
      await using gpu = await start({
        model,
        args: ['--device', 'webgpu', '--allow-software-gpu', '--max-batch', '1'],
        env: swiftshader.env,
        patienceMs: 400_000,
      });
      expect(readyLine(gpu)).toMatchObject({ device: 'webgpu', engine: 'onnxruntime' });
      expect(String(readyLine(gpu).adapter)).toMatch(/swiftshader/i);
      const [vector] = await execute(gpu, image);
      expect(vector?.length).toBe(2048);
      expect(cosine(vector!, reference!)).toBeGreaterThanOrEqual(0.99999);
    },
    600_000,
  );
});
