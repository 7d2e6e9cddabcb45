/** `--precision fp16` where there is no half precision: it needs a GPU with `shader-f16`, which SwiftShader has not. */
import { describe, expect } from 'bun:test';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { convertModel } from '../../model/convert/convert-model.ts';
import { cosine } from '../../src/inference/calibrate.ts';
import { testUnless } from '../support/data.ts';
import { tinyTestModel } from '../support/models.ts';
import {
  execute,
  gpuEnvironment,
  missing,
  pictures,
  readyLine,
  start,
} from './support/swiftshader.ts';

/** The tiny model with an fp16 variant. */
async function modelWithHalf(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fp16-'));
  cpSync(dirname(tinyTestModel()), folder, { recursive: true });
  const model = join(folder, 'resnet50.onnx');
  const { signal } = new AbortController();
  await convertModel({ model, images: undefined, count: 1, tell: () => {}, signal });
  return model;
}

describe('--precision fp16', () => {
  testUnless(
    missing,
    'on a GPU without half precision, runs fp32 there and says so',
    async () => {
      const model = await modelWithHalf();
      const args = ['--device', 'webgpu', '--allow-software-gpu', '--max-batch', '1'];
      await using half = await start({
        model,
        args: [...args, '--precision', 'fp16'],
        env: gpuEnvironment,
      });
      expect(readyLine(half)).toMatchObject({ device: 'webgpu', precision: 'fp32' });
      const told = half.logs.find(({ msg }) => msg?.startsWith('running fp32'));
      expect(told?.msg).toMatch(/swiftshader.* does not compute in half precision \(shader-f16\)/);
      await using cpu = await start({ model, args: ['--device', 'wasm'] });
      const [image] = pictures(1);
      const [vector] = await execute(half, [image!]);
      const [reference] = await execute(cpu, [image!]);
      expect(cosine(vector!, reference!)).toBeGreaterThanOrEqual(0.99999);
      expect(readyLine(half).modelId).toBe(readyLine(cpu).modelId);
    },
    120_000,
  );

  testUnless(
    undefined,
    'without a GPU, runs fp32 and says so',
    async () => {
      await using operator = await start({
        model: await modelWithHalf(),
        args: ['--precision', 'fp16'],
        env: { VK_DRIVER_FILES: '/nowhere.json' },
      });
      expect(readyLine(operator)).toMatchObject({ device: 'wasm', precision: 'fp32' });
      expect(operator.logs.map(({ msg }) => msg)).toContain(
        'without a GPU fp16 brings nothing: running fp32',
      );
    },
    180_000,
  );
});
