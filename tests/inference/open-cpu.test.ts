/** Which engine runs a model on the CPU, and why. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../src/errors.ts';
import { type CpuOptions, openCpuEngine } from '../../src/inference/opening/open-cpu.ts';
import { type Model, openModel } from '../../src/model/open-model.ts';
import { tinyTestModel } from '../support/models.ts';

const model = openModel(tinyTestModel(), 'fp32');
const { agreement, ...variant } = model.manifest.variants.fp32!;
/** Prepared without the comparison of the engines. */
const uncompared: Model = {
  ...model,
  manifest: { ...model.manifest, variants: { fp32: variant } },
};

async function taken(of: Model, engine: CpuOptions['engine']) {
  const told: string[] = [];
  const opened = await openCpuEngine(of, { engine, threads: 1 }, (line) => told.push(line));
  await opened.close();
  return { name: opened.name, told: told.join() };
}

test('openCpuEngine, auto takes simd only for a model that it was seen to agree on', async () => {
  expect(agreement).toBeDefined();
  expect(await taken(model, 'auto')).toEqual({ name: 'simd', told: '' });
  expect(await taken(uncompared, 'auto')).toEqual({
    name: 'onnxruntime',
    told: expect.stringContaining('the manifest has no record that simd agrees with it'),
  });
});

test('openCpuEngine, what was asked for is taken', async () => {
  expect((await taken(uncompared, 'simd')).name).toBe('simd');
  expect(await taken(model, 'onnxruntime')).toEqual({
    name: 'onnxruntime',
    told: 'engine onnxruntime: asked for by --engine',
  });
});

test('openCpuEngine, --engine simd for what it cannot run is refused', async () => {
  const path = import.meta.path;
  const slice = { path, offset: 0, length: readFileSync(path).length };
  const failure = await taken({ ...model, slice }, 'simd').catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(ConfigError);
  expect((failure as Error).message).toStartWith('--engine simd cannot run this model: ');
});
