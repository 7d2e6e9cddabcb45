/** Graph capture in the executable: single images are replayed from a recording of the GPU's commands. */
import { describe, expect } from 'bun:test';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { smallTestModel, tinyTestModel } from '../support/models.ts';
import type { Operator } from '../support/operator.ts';
import { driver, llvmpipe } from './support/drivers.ts';
import { execute, pictures, start } from './support/operator.ts';

const onGpu = ['--device', 'webgpu', '--allow-software-gpu'];
const patience = 240_000;
const told = ({ logs }: Operator): string => logs.map(({ msg }) => msg).join('\n');

describe('graph capture', () => {
  testUnless(
    llvmpipe.missing,
    'vectors of single images, are those of the CPU whatever was run before',
    async () => {
      const model = smallTestModel();
      const images = pictures(6);
      await using cpu = await start({
        model,
        args: ['--device', 'wasm', '--engine', 'onnxruntime'],
      });
      const expected = await execute(cpu, images);
      for (const maxBatch of ['1', '4']) {
        await using gpu = await start({
          model,
          args: [...onGpu, '--graph-capture', 'on', '--max-batch', maxBatch],
          env: llvmpipe.env,
        });
        expect(told(gpu)).toMatch(
          /^graph capture is used for single images: [\d.]+ ms an image, [\d.]+ without it$/m,
        );
        const check = async (...which: number[]): Promise<void> => {
          const vectors = await execute(
            gpu,
            which.map((i) => images[i]!),
          );
          for (const [k, i] of which.entries())
            expect(cosine(vectors[k]!, expected[i]!)).toBeGreaterThanOrEqual(0.99999);
        };
        for (const i of images.keys()) await check(i);
        await check(5, 4, 3);
        await check(2);
        await Promise.all([check(0), check(1, 2), check(3), check(4), check(5, 0)]);
        await check(1);
      }
      // Different pictures: agreeing vectors mean something.
      expect(cosine(expected[0]!, expected[1]!)).toBeLessThan(0.9999);
    },
    patience,
  );

  testUnless(
    driver.missing,
    'auto, measures; off, does not try',
    async () => {
      const model = tinyTestModel();
      const args = [...onGpu, '--max-batch', '1', '--graph-capture'];
      await using auto = await start({ model, args: [...args, 'auto'], env: driver.env });
      // Which of the two it is, on a driver in software, is not known beforehand; tests/inference has the decision.
      expect(told(auto)).toMatch(
        /^graph capture is (used for single images|not used, it is no faster): [\d.]+ ms an image, [\d.]+ without it$/m,
      );
      await using off = await start({ model, args: [...args, 'off'], env: driver.env });
      expect(told(off)).not.toContain('graph capture');
    },
    patience,
  );
});
