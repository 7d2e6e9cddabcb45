/** When a GPU is lost: whose vectors are answered, and under which id. */
import { describe, expect } from 'bun:test';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testUnless } from '../support/data.ts';
import { tinyTestModel } from '../support/models.ts';
import type { Operator } from '../support/operator.ts';
import { testFolder } from '../support/test-folder.ts';
import { driver, llvmpipe } from './support/drivers.ts';
import { startFaulty } from './support/faulty-operator.ts';
import { withHalf } from './support/half-model.ts';
import { pictures, readyLine } from './support/operator.ts';

const [picture] = pictures(1);

/** An Execute's vector and the id that goes with it, in the reply and in the log. */
async function named({ url, logged }: Operator, request: string) {
  const reply = await fetch(`${url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': request },
    body: JSON.stringify({ datas: [picture] }),
  });
  const { vectors } = (await reply.json()) as { vectors?: { element: number[] }[] };
  const line = await logged(({ msg, requestId }) => msg === 'call' && requestId === request);
  const id = reply.headers.get('x-model-id');
  expect(line.modelId).toBe(id);
  return { id, vector: vectors?.[0]?.element };
}

describe('a GPU that is lost', () => {
  testUnless(
    llvmpipe.missing,
    'a vector goes out under the id of the variant that made it, which fp32 on the CPU is after fp16',
    async () => {
      const model = await withHalf(tinyTestModel());
      const args = ['--precision', 'fp16', '--max-batch', '1'];
      await using faulty = await startFaulty({ model, on: llvmpipe, args });
      const { operator } = faulty;
      const before = await named(operator, 'before');
      expect(before.id).toContain('-fp16-');
      faulty.removeDriver();
      // Lost in the middle of the call.
      faulty.fault('destroy-at-submit');
      const meanwhile = await named(operator, 'meanwhile');
      await operator.logged(({ msg }) => msg === 'going on with simd on wasm');
      const after = await named(operator, 'after');
      expect(after.id).toContain('-fp32-');
      expect(meanwhile).toEqual(after);
      expect(after.vector).not.toEqual(before.vector);
    },
    120_000,
  );

  testUnless(
    driver.missing,
    'what has taken the place of the model is not run with the preprocessing and under the id of the one that was there',
    async () => {
      const folder = testFolder('replaced');
      const [onnx, manifest] = [join(folder, 'resnet50.onnx'), join(folder, 'resnet50.json')];
      const tiny = tinyTestModel();
      copyFileSync(tiny, onnx);
      const text = readFileSync(join(dirname(tiny), 'resnet50.json'), 'utf8');
      writeFileSync(manifest, text);
      await using faulty = await startFaulty({ model: onnx, args: ['--max-batch', '1'] });
      const { operator } = faulty;
      expect(readyLine(operator)).toMatchObject({ device: 'webgpu' });
      // Whole, and with the right checksum: nothing is wrong with it but that it is another.
      const { name } = JSON.parse(text);
      writeFileSync(manifest, text.replaceAll(name, 'another_encoder'));
      copyFileSync(tiny, onnx);
      faulty.fault('destroy');
      expect(await operator.exited).toBe(1);
      expect(operator.logs.map(({ msg }) => msg).join('\n')).toContain(
        `no replacement: ${onnx}: another file has taken its place`,
      );
    },
    120_000,
  );
});
