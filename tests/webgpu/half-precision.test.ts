/** `--precision fp16`: llvmpipe computes in half precision, SwiftShader has none, and neither has the CPU. */
import { describe, expect } from 'bun:test';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { smallTestModel, tinyTestModel } from '../support/models.ts';
import { type Driver, llvmpipe, swiftshader } from './support/drivers.ts';
import { withHalf } from './support/half-model.ts';
import { execute, pictures, readyLine, start } from './support/operator.ts';

const half = ['--precision', 'fp16'];
const startHalf = (model: string, { env }: Driver, maxBatch: number) =>
  start({
    model,
    args: [...half, '--device', 'webgpu', '--allow-software-gpu', '--max-batch', `${maxBatch}`],
    env,
  });

describe('--precision fp16', () => {
  testUnless(
    llvmpipe.missing,
    'on a GPU with half precision, computes in it, in batches as alone',
    async () => {
      const model = await withHalf(smallTestModel());
      await using gpu = await startHalf(model, llvmpipe, 4);
      expect(readyLine(gpu)).toMatchObject({ device: 'webgpu', precision: 'fp16' });
      expect(readyLine(gpu).adapter).toMatch(/llvmpipe/);
      await using cpu = await start({ model, args: ['--device', 'wasm', '--precision', 'fp32'] });
      expect(readyLine(gpu).modelId).not.toBe(readyLine(cpu).modelId);

      const images = pictures(4);
      const reference = await execute(cpu, images);
      const batched = await execute(gpu, images);
      for (const [i, image] of images.entries()) {
        const [single] = await execute(gpu, [image]);
        expect(cosine(single!, reference[i]!)).toBeGreaterThanOrEqual(0.99999);
        expect(cosine(batched[i]!, single!)).toBeGreaterThanOrEqual(0.9999999);
        // Further off than two ways of float32: it was half precision that computed this.
        expect(cosine(single!, reference[i]!)).toBeLessThan(1 - 1e-7);
      }
    },
    120_000,
  );

  testUnless(
    swiftshader.missing,
    'on a GPU without half precision, runs fp32 there and says so',
    async () => {
      const model = await withHalf(tinyTestModel());
      await using gpu = await startHalf(model, swiftshader, 1);
      expect(readyLine(gpu)).toMatchObject({ device: 'webgpu', precision: 'fp32' });
      const told = gpu.logs.find(({ msg }) => msg?.startsWith('running fp32'));
      expect(told?.level).toBe('warn');
      expect(told?.msg).toMatch(/SwiftShader.* does not compute in half precision \(shader-f16\)/);
      await using cpu = await start({ model, args: ['--device', 'wasm'] });
      const [image] = pictures(1);
      const [vector] = await execute(gpu, [image!]);
      const [reference] = await execute(cpu, [image!]);
      expect(cosine(vector!, reference!)).toBeGreaterThanOrEqual(0.99999);
      expect(readyLine(gpu).modelId).toBe(readyLine(cpu).modelId);
    },
    120_000,
  );

  testUnless(
    llvmpipe.missing,
    'auto, times half precision against the CPU in fp32 and compares their vectors',
    async () => {
      const model = await withHalf(tinyTestModel());
      const args = [...half, '--allow-software-gpu', '--max-batch', '1'];
      await using operator = await start({ model, args, env: llvmpipe.env });
      const trial = operator.logs.find(({ msg }) => /is taken:/.test(msg ?? ''))?.msg;
      const [, taken, cosine] =
        /^the (GPU|CPU) is taken: GPU \d+\.\d ms an image, CPU \d+\.\d ms, cosine between them ([\d.]+)$/.exec(
          trial ?? '',
        ) ?? [];
      expect(Number(cosine)).toBeGreaterThanOrEqual(0.999);
      expect(readyLine(operator)).toMatchObject(
        taken === 'GPU'
          ? { device: 'webgpu', precision: 'fp16' }
          : { device: 'wasm', precision: 'fp32' },
      );
      const told = operator.logs.flatMap(({ msg }) => (msg?.includes('fp16 brings') ? [msg] : []));
      expect(told).toEqual(taken === 'GPU' ? [] : ['on the CPU fp16 brings nothing: running fp32']);
    },
    120_000,
  );

  testUnless(
    undefined,
    'without a GPU, runs fp32 and says so',
    async () => {
      await using operator = await start({
        model: await withHalf(tinyTestModel()),
        args: half,
        env: { VK_DRIVER_FILES: '/nowhere.json' },
      });
      expect(readyLine(operator)).toMatchObject({ device: 'wasm', precision: 'fp32' });
      expect(operator.logs.map(({ msg }) => msg)).toContain(
        'on the CPU fp16 brings nothing: running fp32',
      );
    },
    180_000,
  );
});
